import { StatusError } from "../../api/errors.ts";
import type { Query } from "../request/query.ts";

/** Which state a read asks for. */
export type Freshness =
  | { kind: "newest" }
  | { kind: "any" }
  | { kind: "notOlderThan"; revision: number }
  | { kind: "exact"; revision: number };

/** A decimal resourceVersion. @throws StatusError BadRequest */
export function parseRevision(text: string): number {
  const revision = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(revision)) {
    throw new StatusError("BadRequest", `Invalid value: "${text}": invalid resourceVersion`);
  }
  return revision;
}

function refuse(field: string, message: string): StatusError {
  return new StatusError("Invalid", `ListOptions.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    subject: { group: "meta.k8s.io", kind: "ListOptions" },
    causes: [{ reason: "FieldValueForbidden", message, field }],
  });
}

/** The freshness that a GET of one object asks for. */
export function freshnessOfGet(query: Query): Freshness {
  const text = query.get("resourceVersion");
  if (text === undefined) return { kind: "newest" };
  const revision = parseRevision(text);
  return revision === 0 ? { kind: "any" } : { kind: "notOlderThan", revision };
}

/** The table of api-concepts for LIST. @throws StatusError BadRequest | Invalid */
export function freshnessOfList(query: Query): Freshness {
  const text = query.get("resourceVersion");
  const match = query.get("resourceVersionMatch");
  if (query.get("continue") !== undefined) {
    if (match)
      throw refuse("resourceVersionMatch", "resourceVersionMatch is forbidden with continue");
    if (text !== undefined && text !== "0") {
      throw new StatusError(
        "BadRequest",
        "specifying resource version is not allowed when using continue",
      );
    }
    return { kind: "newest" };
  }
  if (match === undefined) {
    if (text === undefined) return { kind: "newest" };
    const revision = parseRevision(text);
    if (revision === 0) return { kind: "any" };
    return { kind: query.get("limit") ? "exact" : "notOlderThan", revision };
  }
  if (match !== "Exact" && match !== "NotOlderThan") {
    throw refuse(
      "resourceVersionMatch",
      `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan"`,
    );
  }
  if (text === undefined) {
    const why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
    throw refuse("resourceVersionMatch", why);
  }
  const revision = parseRevision(text);
  if (match === "Exact") {
    if (revision > 0) return { kind: "exact", revision };
    const why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
    throw refuse("resourceVersionMatch", why);
  }
  return revision === 0 ? { kind: "any" } : { kind: "notOlderThan", revision };
}
