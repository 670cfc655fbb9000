import type { UserInfo } from "../contract.ts";
import { type Query, splitPath } from "../request/query.ts";
import { parseTarget, type Target } from "../request/target.ts";
import { verbOf } from "../request/verb.ts";

/** What a request is for, and who asks, once that is known. */
export interface Asked {
  path: string;
  query: Query;
  rawQuery: string;
  verb: string;
  /** Absent for paths that are no resources. */
  target: Target | undefined;
  user: UserInfo | undefined;
}

/** What the first line of a request says. */
export function askedOf(method: string, url: string): Asked {
  const { path, query, rawQuery } = splitPath(url);
  const target = parseTarget(path);
  const verb = target ? verbOf(method, target, query) : method.toLowerCase();
  return { path, query, rawQuery, verb, target, user: undefined };
}

const ONE_OBJECT: ReadonlySet<string> = new Set(["get", "update", "patch", "delete"]);
/** Every other subresource may be a stream, or somebody else's to answer. */
const PLAIN_SUBRESOURCES: ReadonlySet<string> = new Set(["status", "scale", "binding"]);

/** Whether the answer is one object or a refusal: never a list, a watch or a stream. */
export function isOfOneObject({ target, verb }: Asked): boolean {
  if (!target || target.watch || target.subpath !== undefined) return false;
  const { name, subresource } = target;
  if (subresource !== undefined && !PLAIN_SUBRESOURCES.has(subresource)) return false;
  return name === undefined ? verb === "create" : verb === "create" || ONE_OBJECT.has(verb);
}
