import type { AdmissionReview } from "../../../api/generated/types/admission-v1.ts";
import type { Resource } from "../../../api/resource.ts";
import type { Status } from "../../../api/status.ts";
import type { AdmissionRequest } from "../../contract.ts";
import { subresourceFacts } from "../../discovery/subresource-kinds.ts";

const GROUP = "admission.k8s.io";
const VERSIONS: readonly string[] = ["v1", "v1beta1"];

/** What a webhook said, whichever version it speaks. */
export interface ReviewVerdict {
  allowed: boolean;
  status: Partial<Status> | undefined;
  /** A JSON patch, still as text; "" when there is none. */
  patch: string;
  warnings: readonly string[];
  auditAnnotations: Readonly<Record<string, string>>;
}

/** The objects in the version that a webhook asked for. */
export interface ReviewedObjects {
  resource: Resource;
  object: Record<string, unknown> | undefined;
  oldObject: Record<string, unknown> | undefined;
}

/** The first version in the webhook's order that this server speaks. @throws Error */
export function reviewVersionOf(accepted: readonly string[]): string {
  const version = accepted.find((each) => VERSIONS.includes(each));
  if (version) return version;
  throw new Error("webhook does not accept known AdmissionReview versions (v1, v1beta1)");
}

/** The review to send. `uid` must come back. */
export function createReview(
  request: AdmissionRequest,
  seen: ReviewedObjects,
  { uid, version }: { uid: string; version: string },
): AdmissionReview {
  const { user, subresource } = request;
  const requested = request.resource;
  const body = {
    uid,
    kind: kindOf(seen.resource, subresource),
    resource: resourceOf(seen.resource),
    ...(subresource ? { subResource: subresource } : {}),
    requestKind: kindOf(requested, subresource),
    requestResource: resourceOf(requested),
    ...(subresource ? { requestSubResource: subresource } : {}),
    ...(request.name ? { name: request.name } : {}),
    ...(namespaceOf(request) ? { namespace: namespaceOf(request) } : {}),
    operation: request.operation,
    userInfo: {
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: [...user.groups],
      ...(user.extra ? { extra: user.extra } : {}),
    },
    object: typed(seen.resource, seen.object, subresource),
    oldObject: typed(seen.resource, seen.oldObject, subresource),
    dryRun: request.dryRun,
    options: request.options?.() ?? null,
  };
  return {
    kind: "AdmissionReview",
    apiVersion: `${GROUP}/${version}`,
    request: body,
  } as unknown as AdmissionReview;
}

/** Namespace of the request; a namespace object is in itself. */
export function namespaceOf({ resource, namespace, name }: AdmissionRequest): string | undefined {
  return isNamespace(resource) ? name || undefined : namespace;
}

/** Whether the resource is the one of namespaces. */
export function isNamespace({ group, plural }: Resource): boolean {
  return group === "" && plural === "namespaces";
}

function kindOf(resource: Resource, subresource: string | undefined) {
  const { group, version, kind } = resource;
  const own = { group, version, kind };
  return subresource ? (subresourceFacts(resource.plural, subresource).kind ?? own) : own;
}

function resourceOf({ group, version, plural }: Resource) {
  return { group, version, resource: plural };
}

/** An object that states its kind, whoever left it out. */
function typed(
  resource: Resource,
  object: Record<string, unknown> | undefined,
  subresource: string | undefined,
): object | null {
  if (!object) return null;
  const { group, version, kind } = kindOf(resource, subresource);
  return { ...object, kind, apiVersion: group ? `${group}/${version}` : version };
}

type Json = Record<string, unknown>;

/** Reads and checks what came back. @throws Error in the words of upstream */
export function readReview(
  answer: unknown,
  asked: { uid: string; version: string; mutating: boolean },
): ReviewVerdict {
  if (!isObject(answer)) throw new Error("webhook response was no object");
  const { apiVersion, kind } = answer;
  if (asked.version === "v1") checkType(apiVersion, kind);
  const { response } = answer;
  if (!isObject(response)) throw new Error("webhook response was absent");
  const patch = textOf(response["patch"]);
  if (asked.version === "v1") {
    const uid = textOf(response["uid"]);
    if (uid !== asked.uid) {
      const [wanted, got] = [JSON.stringify(asked.uid), JSON.stringify(uid)];
      throw new Error(`expected response.uid=${wanted}, got ${got}`);
    }
    checkPatch(response, patch, asked.mutating);
  }
  const { status, warnings, auditAnnotations } = response;
  return {
    allowed: response["allowed"] === true,
    status: isObject(status) ? status : undefined,
    patch: asked.mutating ? patch : "",
    warnings: Array.isArray(warnings) ? warnings.filter((text) => typeof text === "string") : [],
    auditAnnotations: isObject(auditAnnotations) ? textsOf(auditAnnotations) : {},
  };
}

function checkType(apiVersion: unknown, kind: unknown): void {
  if (apiVersion === `${GROUP}/v1` && kind === "AdmissionReview") return;
  const wanted = `${GROUP}/v1, Kind=AdmissionReview`;
  throw new Error(
    `expected webhook response of ${wanted}, got ${textOf(apiVersion)}, Kind=${textOf(kind)}`,
  );
}

function checkPatch(response: Json, patch: string, mutating: boolean): void {
  const { patchType } = response;
  const typeGiven = patchType !== undefined && patchType !== null;
  if (!mutating) {
    if (patch) throw new Error("validating webhook may not return response.patch");
    if (typeGiven) throw new Error("validating webhook may not return response.patchType");
    return;
  }
  if (patch && !typeGiven) {
    throw new Error("webhook returned response.patch but not response.patchType");
  }
  if (!patch && typeGiven) {
    throw new Error("webhook returned response.patchType but not response.patch");
  }
  if (!typeGiven) return;
  if (patchType === "") throw new Error('webhook returned invalid response.patchType of ""');
  if (patchType !== "JSONPatch") {
    throw new Error(`unsupported patch type ${JSON.stringify(patchType)}`);
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: Json): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === "string" ? [[key, text]] : [])),
  );
}
