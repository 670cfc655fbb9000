import type { Body } from "../codec/body.ts";
import type { ApiRequest } from "../../api/transport.ts";
import type { UserInfo } from "../contract.ts";
import type { Query } from "../request/query.ts";
import type { Target } from "../request/target.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";

/** An authenticated and authorized request for a served resource, whatever brought it. */
export interface Call {
  method: ApiRequest["method"];
  served: ServedResource;
  target: Target;
  query: Query;
  user: UserInfo;
  body: Body;
  /** For the default field manager. */
  userAgent: string;
  /** Adds a warning to the answer. */
  warn(text: string): void;
  /** Adds to the audit event. */
  annotate?: ((key: string, value: string) => void) | undefined;
}

/** A successful answer, not yet encoded. */
export type Answer =
  | { kind: "object"; status: number; served: ServedResource; object: CachedObject }
  | { kind: "list"; status: number; served: ServedResource; list: ObjectPage }
  | { kind: "value"; status: number; value: object };

/** A list or a page of one. */
export interface ObjectPage {
  items: readonly CachedObject[];
  /** Revision whose state the list is. */
  revision: number;
  continue?: string;
  /** Only without selectors. */
  remaining?: number;
}

/** Who is recorded in managedFields: the query parameter, else the start of the user agent. */
export function fieldManagerOf(call: Call): string {
  const asked = call.query.get("fieldManager");
  if (asked) return asked;
  const { userAgent } = call;
  const end = userAgent.indexOf("/");
  return userAgent.slice(0, end < 0 ? 128 : Math.min(end, 128)) || "unknown";
}

/** Whether nothing may be stored. */
export function isDryRun(call: Call): boolean {
  return call.query.all("dryRun").includes("All");
}
