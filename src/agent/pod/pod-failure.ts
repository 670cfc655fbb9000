import { type BackoffPolicy, backoffDelayMs } from "../../lib/backoff.ts";
import type { Failure } from "./observation.ts";

const PULL_POLICY: BackoffPolicy = { baseMs: 10_000, maxMs: 300_000 };
const PREPARE_POLICY: BackoffPolicy = { baseMs: 500, maxMs: 120_000 };

/** What went wrong this time. */
export interface FailureCause {
  reason: string;
  message: string;
}

/** Counts a failure of pulling an image or of creating a container. */
export function nextFailure(
  previous: Failure | undefined,
  cause: FailureCause,
  nowMs: number,
): Failure {
  return count(previous, { ...cause, policy: PULL_POLICY, nowMs });
}

/** Counts a failure of the pod's volumes or sandbox, which often heal within a second. */
export function nextPreparationFailure(
  previous: Failure | undefined,
  cause: FailureCause,
  nowMs: number,
): Failure {
  return count(previous, { ...cause, policy: PREPARE_POLICY, nowMs });
}

function count(
  previous: Failure | undefined,
  next: FailureCause & { policy: BackoffPolicy; nowMs: number },
): Failure {
  const attempts = (previous?.attempts ?? 0) + 1;
  const retryAtMs = next.nowMs + backoffDelayMs(next.policy, attempts);
  return { reason: next.reason, message: next.message, attempts, sinceMs: next.nowMs, retryAtMs };
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
