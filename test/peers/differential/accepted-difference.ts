import type { Difference } from "./difference.ts";

/** Why a difference is accepted, for now or for good. */
export type Cause =
  /** Kubernetes changed it after 1.20. */
  | "version"
  /** The same in other words, which no program reads. */
  | "wording"
  /** We decided otherwise. */
  | "choice"
  /** A defect of ours that is not mended yet. */
  | "open";

/** A difference that the comparison accepts. */
export interface AcceptedDifference {
  cause: Cause;
  /** Release and change, or what we decided, or what is missing. */
  reason: string;
  /** Kind of the object in the answer; any when it is absent. */
  kind?: RegExp;
  /** Name of the case; any when it is absent. */
  case?: RegExp;
  path: RegExp;
  /** The JSON of our side, "undefined" where we say nothing; any when it is absent. */
  ours?: RegExp;
  theirs?: RegExp;
  /** It depends on who is faster: covering nothing is no mistake. */
  byChance?: boolean;
}

/** Words of messages that differ. Both sides are rewritten before they are compared. */
export interface WordingDifference {
  reason: string;
  pattern: RegExp;
  replacement: string;
}

/** Where a difference was seen. */
export interface Seen extends Difference {
  case: string;
  kind: string;
}

/** Whether an entry of the written list covers a difference. */
export function covers(entry: AcceptedDifference, seen: Seen): boolean {
  const text = (value: unknown) => (value === undefined ? "undefined" : JSON.stringify(value));
  return (
    entry.path.test(seen.path) &&
    (entry.kind?.test(seen.kind) ?? true) &&
    (entry.case?.test(seen.case) ?? true) &&
    (entry.ours?.test(text(seen.ours)) ?? true) &&
    (entry.theirs?.test(text(seen.theirs)) ?? true)
  );
}
