/**
 * A kind of object as the API serves it. `T` is the object's type, only for the compiler.
 * Constants for every built-in kind stand in `resources.ts`.
 */
export interface Resource<T = unknown> {
  /** "" for the core group. */
  group: string;
  version: string;
  /** Lower-case plural as in paths: "pods". */
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  shortNames?: readonly string[];
  /** Such as "all". */
  categories?: readonly string[];
  /** Such as "status", "scale", "log". */
  subresources?: readonly string[];
  /** Verbs of the main endpoint where they are not the usual eight. */
  verbs?: readonly string[];
  /** Never set; carries `T`. */
  readonly type?: T;
}

/** "v1" or "apps/v1". */
export function apiVersionOf(resource: Resource): string {
  return resource.group ? `${resource.group}/${resource.version}` : resource.version;
}

/** Name of the resource in the store and in caches: "core/pods", "apps/deployments". */
export function storageNameOf(resource: { group: string; plural: string }): string {
  return `${resource.group || "core"}/${resource.plural}`;
}

/** What needs no encoding in a path, as nearly all names. */
const PLAIN_NAME = /^[\w.-]*$/;

/** Path of a collection or an object: "/apis/apps/v1/namespaces/default/deployments/web". */
export function pathOf(
  resource: Resource,
  at: {
    namespace?: string | undefined;
    name?: string | undefined;
    subresource?: string | undefined;
  } = {},
): string {
  const root = resource.group ? `/apis/${resource.group}` : "/api";
  const { version, plural } = resource;
  const scope = resource.namespaced && at.namespace ? `/namespaces/${at.namespace}` : "";
  const name = at.name
    ? `/${PLAIN_NAME.test(at.name) ? at.name : encodeURIComponent(at.name)}`
    : "";
  const subresource = at.subresource ? `/${at.subresource}` : "";
  return `${root}/${version}${scope}/${plural}${name}${subresource}`;
}
