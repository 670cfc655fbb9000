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
  /**
   * Only where a list that the path leads through has the same elements on both sides, be what is
   * empty in them absent.
   */
  reordered?: boolean;
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
  /** What was compared as a whole; without it nothing counts as reordered. */
  answers?: { ours: unknown; theirs: unknown };
}

/** Whether an entry of the written list covers a difference. */
export function covers(entry: AcceptedDifference, seen: Seen): boolean {
  const text = (value: unknown) => (value === undefined ? "undefined" : JSON.stringify(value));
  return (
    entry.path.test(seen.path) &&
    (entry.kind?.test(seen.kind) ?? true) &&
    (entry.case?.test(seen.case) ?? true) &&
    (entry.ours?.test(text(seen.ours)) ?? true) &&
    (entry.theirs?.test(text(seen.theirs)) ?? true) &&
    (!entry.reordered || isReordered(seen))
  );
}

/** Whether both sides have the same elements in one of the lists that the path leads through. */
function isReordered({ path, answers }: Seen): boolean {
  const lists = [...path.matchAll(/\[/g)].map(({ index }) => path.slice(0, index));
  return lists.some((list) => isPermuted(list, answers));
}

function isPermuted(list: string, answers: Seen["answers"]): boolean {
  const [ours, theirs] = [answers?.ours, answers?.theirs].map((answer) => {
    const found = valueAt(answer, list);
    return Array.isArray(found) ? found.map((item) => JSON.stringify(sorted(item))).toSorted() : [];
  });
  return ours !== undefined && ours.length > 0 && JSON.stringify(ours) === JSON.stringify(theirs);
}

/** Follows "answer.body.spec.ports[0]". */
function valueAt(answer: unknown, path: string): unknown {
  const [, ...steps] = path.match(/[^.[\]]+/g) ?? [];
  let value = answer;
  for (const step of steps) value = (value as Record<string, unknown> | undefined)?.[step];
  return value;
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const filled = Object.entries(value).filter(([, item]) => item !== "");
  const entries = filled.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
