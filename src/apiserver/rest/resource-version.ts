import { StatusError } from "../../api/errors.ts";
import type { Query } from "../request/query.ts";
import type { ListOptions } from "./list-options.ts";

/** Which state a read asks for. */
export type Freshness =
  | { kind: "newest" }
  | { kind: "any" }
  | { kind: "notOlderThan"; revision: number }
  | { kind: "exact"; revision: number };

/** A decimal resourceVersion. @throws StatusError BadRequest */
export function parseRevision(text: string): number {
  const revision = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(revision)) return revision;
  const why = /^\d+$/.test(text) ? "value out of range" : "invalid syntax";
  throw new StatusError(
    "BadRequest",
    `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": ${why}`,
  );
}

/** The freshness that a GET of one object asks for. */
export function freshnessOfGet(query: Query): Freshness {
  const text = query.get("resourceVersion");
  if (text === undefined) return { kind: "newest" };
  const revision = parseRevision(text);
  return revision === 0 ? { kind: "any" } : { kind: "notOlderThan", revision };
}

/**
 * The freshness that the first page of a list asks for: the table "resourceVersion and
 * resourceVersionMatch in list" of upstream's API concepts. A limit makes a version without a
 * match exact: clients that knew no match relied on it.
 */
export function freshnessOfList(options: ListOptions): Freshness {
  const { resourceVersion, match, limit } = options;
  if (resourceVersion === undefined) return { kind: "newest" };
  const revision = parseRevision(resourceVersion);
  if (revision === 0) return { kind: "any" };
  const isExact = match === "Exact" || (match === undefined && limit > 0);
  return { kind: isExact ? "exact" : "notOlderThan", revision };
}
