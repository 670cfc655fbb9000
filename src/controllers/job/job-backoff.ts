import type { Job } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { isTerminating, uidOf } from "../ownership.ts";
import { finishedAtMs, isFinished } from "../pod-state.ts";
import { hasFailed, hasWon, isCountable, isTracked } from "./job-survey.ts";

const BACKOFF_BASE_MS = 10_000;
const BACKOFF_MAX_MS = 10 * 60_000;
/** As many failures in a row as make the wait the longest. */
const KEPT_MAX = 1 + Math.ceil(Math.log2(BACKOFF_MAX_MS / BACKOFF_BASE_MS));

/** The latest failures of a job since its last success: when each ended, by UID of the pod. */
export type FailureRow = ReadonlyMap<string, number>;

/** Adds what became of the pods; those that are gone are known from the row alone. */
export function noteFailures(job: Job, row: FailureRow, pods: readonly Pod[]): FailureRow {
  const counted = pods.filter((pod) => isCountable(job, pod) && isCounted(pod));
  const successes = counted.filter(hasWon).map(finishedAtMs);
  const lastSuccess = Math.max(0, ...successes);
  const fresh = counted.filter((pod) => hasFailed(job, pod) && !row.has(uidOf(pod)));
  return new Map(
    [...row, ...fresh.map((pod) => [uidOf(pod), finishedAtMs(pod)] as const)]
      .filter(([, endMs]) => endMs > lastSuccess)
      .sort(([, a], [, b]) => b - a)
      .slice(0, KEPT_MAX),
  );
}

/** False for what the job let go before it had ended. */
function isCounted(pod: Pod): boolean {
  return isTracked(pod) || (isFinished(pod) && !isTerminating(pod));
}

/** When the next pod may come: each failure in a row doubles the wait. 0 without failures. */
export function retryAtMs(row: FailureRow): number {
  return row.size === 0 ? 0 : Math.max(...row.values()) + retryDelayMs(row.size);
}

/** The wait after so many failures in a row. */
export function retryDelayMs(failures: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (failures - 1));
}
