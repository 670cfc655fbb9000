/** What a resource path names. */
export interface Target {
  group: string;
  version: string;
  /** Plural as in the path. */
  resource: string;
  namespace?: string;
  name?: string;
  subresource?: string;
  /** What follows the subresource of a proxy request, without the leading slash. */
  subpath?: string;
  /** The deprecated "/watch/" prefix was used. */
  watch: boolean;
}

/** Segments after "namespaces/{name}" that belong to the namespace itself. */
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Reads "/api/v1/…" and "/apis/{group}/{version}/…"; `undefined` for every other path. */
export function parseTarget(path: string): Target | undefined {
  const parts = path.split("/");
  if (parts.at(-1) === "") parts.pop();
  let at: number;
  let group = "";
  if (parts[1] === "api") at = 2;
  else if (parts[1] === "apis") {
    group = parts[2] ?? "";
    at = 3;
  } else return undefined;
  const version = parts[at++] ?? "";
  const watch = parts[at] === "watch" && parts.length > at + 1;
  if (watch) at++;
  const first = parts[at];
  if (!first || (parts[1] === "apis" && !group)) return undefined;
  const base = { group, version, watch };
  const scoped = first === "namespaces" && parts.length > at + 2;
  if (!scoped || NAMESPACE_SUBRESOURCES.has(parts[at + 2] ?? "")) {
    return withName(base, first, parts.slice(at + 1), parts);
  }
  const namespace = decodeSegment(parts[at + 1] ?? "");
  return withName({ ...base, namespace }, parts[at + 2] ?? "", parts.slice(at + 3), parts);
}

function withName(
  base: { group: string; version: string; watch: boolean; namespace?: string },
  resource: string,
  rest: string[],
  whole: string[],
): Target {
  const target: Target = { ...base, resource };
  if (rest[0] !== undefined) target.name = decodeSegment(rest[0]);
  if (resource === "namespaces" && target.name !== undefined) target.namespace = target.name;
  if (rest[1] !== undefined) target.subresource = rest[1];
  if (rest.length > 2) {
    target.subpath = whole.slice(whole.length - (rest.length - 2)).join("/");
  }
  return target;
}
