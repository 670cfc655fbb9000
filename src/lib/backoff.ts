/** Exponential back-off: `baseMs * 2^(attempt-1)`, never above `maxMs`. */
export interface BackoffPolicy {
  baseMs: number;
  maxMs: number;
}

/** Delay before attempt number `attempt + 1`; `attempt` counts failures so far, from 1. */
export function backoffDelayMs(policy: BackoffPolicy, attempt: number): number {
  return Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
}
