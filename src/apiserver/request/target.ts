/** What a resource path names. */
export interface Target {
  group: string;
  version: string;
  /** Plural as in the path. */
  resource: string;
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
  /** What follows the subresource of a proxy request, without the leading slash. */
  subpath?: string | undefined;
  /** The deprecated "/watch/" prefix was used. */
  watch: boolean;
}

/** Segments after "namespaces/{name}" that belong to the namespace itself. */
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(["status", "finalize"]);

function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** `path.split("/")` for paths that nearly all differ, of which the engine's own keeps a copy. */
function segmentsOf(path: string): string[] {
  const segments: string[] = [];
  let from = 0;
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", from)) {
    segments.push(path.slice(from, at));
    from = at + 1;
  }
  segments.push(path.slice(from));
  return segments;
}

/**
 * Reads "/api/v1/…" and "/apis/{group}/{version}/…"; `undefined` for every other path. An escaped
 * slash in a name is a slash, as to upstream; what is left to a proxy keeps its own.
 */
export function parseTarget(path: string): Target | undefined {
  const isCore = path.startsWith("/api/");
  if (!isCore && !path.startsWith("/apis/")) return undefined;
  const parts = segmentsOf(path);
  if (parts[parts.length - 1] === "") parts.pop();
  const group = isCore ? "" : (parts[2] ?? "");
  let at = isCore ? 2 : 3;
  const version = parts[at++] ?? "";
  const watch = parts[at] === "watch" && parts.length > at + 1;
  if (watch) at++;
  let resource = parts[at++];
  if (!resource || (!isCore && !group)) return undefined;
  let namespace: string | undefined;
  const isScoped =
    resource === "namespaces" &&
    parts.length > at + 1 &&
    !NAMESPACE_SUBRESOURCES.has(parts[at + 1] ?? "");
  if (isScoped) {
    namespace = decodeSegment(parts[at] ?? "");
    resource = parts[at + 1] ?? "";
    at += 2;
  }
  const segment = parts[at];
  const name = segment === undefined ? undefined : decodeSegment(segment);
  if (resource === "namespaces" && name !== undefined) namespace = name;
  if (path.includes("%") && (name?.includes("/") || namespace?.includes("/"))) {
    return parseTarget(path.replace(/%2f/i, "/"));
  }
  const subresource = parts[at + 1];
  let subpath = parts.length > at + 2 ? parts.slice(at + 2).join("/") : undefined;
  // To who is behind a proxy a slash at the end says something.
  if (subresource === "proxy" && path.endsWith("/")) subpath = subpath ? `${subpath}/` : "";
  // One shape for all: whoever reads a target meets it in every request.
  return { group, version, resource, namespace, name, subresource, subpath, watch };
}
