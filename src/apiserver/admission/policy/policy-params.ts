import {
  BUILT_IN_RESOURCES,
  CUSTOM_RESOURCE_DEFINITIONS,
} from "../../../api/generated/resources.ts";
import type { ParamKind, ParamRef } from "../../../api/generated/types/admissionregistration-v1.ts";
import { apiVersionOf, type Resource } from "../../../api/resource.ts";
import { matchesSelector } from "../../../lib/labels.ts";
import type { ObjectReader } from "../../contract.ts";

/** A policy or binding is set up wrongly; its failure policy says what becomes of the request. */
export class PolicyConfigError extends Error {
  override readonly name = "PolicyConfigError";
}

interface Named {
  metadata?: { labels?: Readonly<Record<string, string>> };
}

/**
 * The parameters that a binding names; null once for a policy without. None at all means that the
 * binding does not apply. @throws PolicyConfigError
 */
export function paramsOf(
  of: { kind: ParamKind | undefined; ref: ParamRef | undefined; namespace: string | undefined },
  reader: ObjectReader,
): readonly (object | null)[] {
  const { kind, ref } = of;
  if (!kind || !ref) return [null];
  const resource = resourceOfKind(kind, reader);
  if (!resource) {
    throw new PolicyConfigError(
      `paramKind kind \`${kind.apiVersion}, Kind=${kind.kind}\` not known`,
    );
  }
  const params = listParams(resource, { ref, namespace: namespaceOf(resource, of) }, reader);
  if (params.length === 0 && ref.parameterNotFoundAction === "Deny") {
    throw new PolicyConfigError(
      "no params found for policy binding with `Deny` parameterNotFoundAction",
    );
  }
  // Objects of the cache do not all say what they are, and expressions may ask.
  const typeMeta = { apiVersion: kind.apiVersion, kind: kind.kind };
  return params.map((param) => ({ ...param, ...typeMeta }));
}

function namespaceOf(
  resource: Resource,
  { ref, namespace }: { ref: ParamRef | undefined; namespace: string | undefined },
): string | undefined {
  if (!resource.namespaced) {
    if (!ref?.namespace) return undefined;
    throw new PolicyConfigError(
      "paramRef.namespace must not be provided for a cluster-scoped `paramKind`",
    );
  }
  const wanted = ref?.namespace || namespace;
  if (wanted) return wanted;
  throw new PolicyConfigError(
    "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
  );
}

function listParams(
  resource: Resource,
  { ref, namespace }: { ref: ParamRef; namespace: string | undefined },
  reader: ObjectReader,
): readonly object[] {
  if (ref.name) {
    const at = { name: ref.name, ...(namespace ? { namespace } : {}) };
    const param = reader.get(resource, at) as object | undefined;
    return param ? [param] : [];
  }
  const all = reader.list(resource, namespace) as readonly Named[];
  return all.filter(({ metadata }) => matchesSelector(ref.selector, metadata?.labels));
}

/** The resource that serves a kind, built-in or custom. */
export function resourceOfKind(kind: ParamKind, reader: ObjectReader): Resource | undefined {
  const { apiVersion = "" } = kind;
  const builtIn = BUILT_IN_RESOURCES.find((resource) => {
    return resource.kind === kind.kind && apiVersionOf(resource) === apiVersion;
  });
  if (builtIn) return builtIn;
  const [group = "", version = ""] = apiVersion.split("/");
  const definition = reader.list(CUSTOM_RESOURCE_DEFINITIONS).find(({ spec }) => {
    return spec.group === group && spec.names.kind === kind.kind;
  });
  const served = definition?.spec.versions.some((each) => each.name === version && each.served);
  if (!definition || !served) return undefined;
  const { names, scope } = definition.spec;
  const { plural, singular = names.kind.toLowerCase() } = names;
  const namespaced = scope === "Namespaced";
  return { group, version, plural, singular, kind: names.kind, namespaced };
}
