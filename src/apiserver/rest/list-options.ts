import { invalid, StatusError } from "../../api/errors.ts";
import type { StatusCause } from "../../api/status.ts";
import type { Query } from "../request/query.ts";

/** The query of a list or watch, its parameters checked one by one and against each other. */
export interface ListOptions {
  /** 0 means no limit. */
  limit: number;
  continue: string | undefined;
  resourceVersion: string | undefined;
  match: "Exact" | "NotOlderThan" | undefined;
  sendInitialEvents: boolean | undefined;
  bookmarks: boolean;
  /** `undefined` lets the server choose; negative is over at once. */
  timeoutSeconds: number | undefined;
}

const MATCH = "resourceVersionMatch";

/** @throws StatusError BadRequest | Invalid */
export function listOptionsOf(query: Query): ListOptions {
  const options = {
    limit: Math.max(0, integerOf(query, "limit") ?? 0),
    continue: query.get("continue"),
    resourceVersion: query.get("resourceVersion"),
    match: query.get(MATCH),
    sendInitialEvents: query.has("sendInitialEvents") ? query.flag("sendInitialEvents") : undefined,
    bookmarks: query.flag("allowWatchBookmarks"),
    timeoutSeconds: integerOf(query, "timeoutSeconds") || undefined,
  };
  return options as ListOptions;
}

function integerOf(query: Query, name: string): number | undefined {
  const [text] = query.all(name);
  if (text === undefined) return undefined;
  const complaint = /^[+-]?\d+$/.test(text)
    ? /^[+-]?0*\d{1,18}$/.test(text)
      ? undefined
      : "value out of range"
    : "invalid syntax";
  if (!complaint) return Number(text);
  throw new StatusError("BadRequest", `strconv.ParseInt: parsing "${text}": ${complaint}`);
}

/** @throws StatusError Invalid */
export function checkListOptions(options: ListOptions): void {
  const { match, resourceVersion } = options;
  const causes: StatusCause[] = [];
  if (match !== undefined) {
    if (resourceVersion === undefined) {
      causes.push(forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`));
    }
    if (options.continue) causes.push(forbidden(MATCH, CONTINUED));
    if (match !== "Exact" && match !== "NotOlderThan") {
      causes.push(unsupported(match, ["Exact", "NotOlderThan", ""]));
    }
    if (match === "Exact" && resourceVersion === "0") {
      causes.push(forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    causes.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  refuse(causes);
}

/** @throws StatusError Invalid */
export function checkWatchOptions(options: ListOptions): void {
  const { match, sendInitialEvents } = options;
  const causes: StatusCause[] = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    const why = `sendInitialEvents requires setting ${MATCH} to NotOlderThan`;
    causes.push(forbidden(MATCH, why));
  }
  if (match !== undefined) {
    if (sendInitialEvents === undefined) {
      const why = `${MATCH} is forbidden for watch unless sendInitialEvents is provided`;
      causes.push(forbidden(MATCH, why));
    }
    if (match !== "NotOlderThan") causes.push(unsupported(match, ["NotOlderThan"]));
  }
  // A watch from any state, or the newest, begins with what is there, not older than that.
  const begins = match !== undefined || (sendInitialEvents === undefined && isAnyState(options));
  if (begins && options.continue) causes.push(forbidden(MATCH, CONTINUED));
  refuse(causes);
}

function isAnyState({ resourceVersion = "" }: ListOptions): boolean {
  return resourceVersion === "" || resourceVersion === "0";
}

const CONTINUED = `${MATCH} is forbidden when continue is provided`;

function forbidden(field: string, why: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field };
}

function unsupported(value: string, supported: readonly string[]): StatusCause {
  const values = supported.map((each) => `"${each}"`).join(", ");
  const message = `Unsupported value: "${value}": supported values: ${values}`;
  return { reason: "FieldValueNotSupported", message, field: MATCH };
}

function refuse(causes: StatusCause[]): void {
  if (causes.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", causes);
}
