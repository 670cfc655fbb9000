import type { Job } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { isTerminating } from "../ownership.ts";
import type { Ending } from "./job-ending.ts";
import { judgeFailure } from "./job-failure-policy.ts";
import { isIndexed } from "./job-indexes.ts";
import { hasWon, isCountable, type Survey } from "./job-survey.ts";

/** So many results are noted at once; the others wait for the next pass. */
const NOTED_MAX = 500;

/** What the counting pass found. */
export interface Tally {
  succeeded: number;
  failed: number;
  uncounted: { succeeded: string[]; failed: string[] };
  /** Pods that may go once the status is written. */
  untrack: Pod[];
}

/**
 * Counts results exactly once: a finished pod first stands in `uncountedTerminatedPods`, then
 * loses its finalizer, and only when that is seen it moves into the counters. Successes of an
 * indexed job are known by their indexes.
 */
export function tallyPods(
  job: Job,
  { survey, ending }: { survey: Survey; ending: Ending | undefined },
): Tally {
  const { succeeded = 0, failed = 0, uncountedTerminatedPods: before } = job.status ?? {};
  const result: Tally = {
    succeeded,
    failed,
    uncounted: { succeeded: [], failed: [] },
    untrack: [],
  };
  for (const kind of ["succeeded", "failed"] as const) {
    for (const uid of before?.[kind] ?? []) {
      if (survey.tracked.has(uid)) result.uncounted[kind].push(uid);
      else result[kind]++;
    }
  }
  const known = new Set([...result.uncounted.succeeded, ...result.uncounted.failed]);
  const held = new Set(ending || isTerminating(job) ? [] : survey.replaced.values());
  const lost = new Set(survey.lost);
  for (const [uid, pod] of survey.tracked) {
    const isLost = lost.has(pod) || (ending?.type === "Failed" && isLeft(pod));
    const isOver = isTerminating(job) || (ending !== undefined && isTerminating(pod));
    const mayGo = hasWon(pod) || isLost || isOver;
    if (!mayGo || held.has(pod)) continue;
    if (known.has(uid) || !isCountable(job, pod)) {
      result.untrack.push(pod);
      continue;
    }
    const { uncounted } = result;
    if (uncounted.succeeded.length + uncounted.failed.length >= NOTED_MAX) continue;
    result.untrack.push(pod);
    if (hasWon(pod)) {
      if (!isIndexed(job)) uncounted.succeeded.push(uid);
    } else if (isLost && judgeFailure(job, pod).action !== "Ignore") {
      uncounted.failed.push(uid);
    }
  }
  if (isIndexed(job)) result.succeeded = survey.completed.size;
  return result;
}

/** With the job failed, what still ran did not succeed. */
function isLeft(pod: Pod): boolean {
  return isTerminating(pod) && !hasWon(pod);
}
