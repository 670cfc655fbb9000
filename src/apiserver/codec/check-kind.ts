import { invalid, StatusError } from "../../api/errors.ts";
import { apiVersionOf, type Resource } from "../../api/resource.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Body } from "./body.ts";
import { unparsed, unrecognized } from "./unrecognized.ts";

const NO_TEXT: Body = { kind: "value", value: {}, contentType: "" };

/** Fills in and checks apiVersion, kind and metadata. @throws StatusError BadRequest */
export function checkKind(
  resource: Resource,
  value: Record<string, unknown>,
  { custom = false, body = NO_TEXT }: { custom?: boolean; body?: Body } = {},
): KubeObject {
  const apiVersion = apiVersionOf(resource);
  for (const field of ["apiVersion", "kind"]) {
    const said = value[field] ?? "";
    if (typeof said !== "string") throw unparsed(resource, body, notText(said, field));
  }
  const said = value["apiVersion"] as string | undefined;
  if (!custom && said !== undefined && said.split("/").length > 2) {
    throw unrecognized(resource, body, `unexpected GroupVersion string: ${said}`);
  }
  value["apiVersion"] ||= apiVersion;
  value["kind"] ||= resource.kind;
  if (value["apiVersion"] !== apiVersion || value["kind"] !== resource.kind) {
    if (custom) throw notOfThis(resource, value);
    throw new StatusError(
      "BadRequest",
      `${value["kind"]} in version "${value["apiVersion"]}" cannot be handled as a ` +
        `${resource.kind}: converting (${value["apiVersion"]}) to (${apiVersion}): unknown conversion`,
    );
  }
  const metadata = (value["metadata"] ??= {});
  if (typeof metadata !== "object" || Array.isArray(metadata)) {
    throw new StatusError("BadRequest", "metadata must be an object");
  }
  return value as KubeObject;
}

/** Custom resources are decoded whatever they are, and only then found to be others. */
function notOfThis(resource: Resource, value: Record<string, unknown>): StatusError {
  const [expected, found] = [apiVersionOf(resource), value["apiVersion"] as string];
  if (found !== expected) {
    return new StatusError(
      "BadRequest",
      `the API version in the data (${found}) does not match the expected API version (${expected})`,
    );
  }
  const kind = value["kind"] as string;
  const { name } = (value["metadata"] ?? {}) as { name?: unknown };
  return invalid({ group: resource.group, kind }, typeof name === "string" ? name : "", [
    {
      reason: "FieldValueInvalid",
      message: `Invalid value: ${JSON.stringify(kind)}: must be ${resource.kind}`,
      field: "kind",
    },
  ]);
}

function notText(value: unknown, field: string): string {
  const found = Array.isArray(value) ? "array" : typeof value;
  return `json: cannot unmarshal ${found} into Go struct field .${field} of type string`;
}
