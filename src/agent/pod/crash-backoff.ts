import type { BackoffPolicy } from "../../lib/backoff.ts";

/** How long a container that ends again and again waits, as on every Kubernetes node. */
export const CRASH_POLICY: BackoffPolicy = { baseMs: 10_000, maxMs: 300_000 };

/** Back-off that the last restart of a container earned it. */
export interface CrashBackoff {
  delayMs: number;
  /** When that restart happened. */
  sinceMs: number;
}

/** A container that ran this long after a restart starts over with no wait. */
const RESET_AFTER_MS = 2 * CRASH_POLICY.maxMs;

/** When a container that ended at `finishedAtMs` may run again; the first restart never waits. */
export function restartAtMs(backoff: CrashBackoff | undefined, finishedAtMs: number): number {
  if (!backoff || expired(backoff, finishedAtMs)) return finishedAtMs;
  return finishedAtMs + backoff.delayMs;
}

/** The back-off after restarting at `nowMs` a container that had ended at `finishedAtMs`. */
export function afterRestart(
  backoff: CrashBackoff | undefined,
  times: { finishedAtMs: number; nowMs: number },
): CrashBackoff {
  const fresh = !backoff || expired(backoff, times.finishedAtMs);
  const delayMs = fresh ? CRASH_POLICY.baseMs : Math.min(CRASH_POLICY.maxMs, backoff.delayMs * 2);
  return { delayMs, sinceMs: times.nowMs };
}

function expired(backoff: CrashBackoff, finishedAtMs: number): boolean {
  return finishedAtMs - backoff.sinceMs > RESET_AFTER_MS;
}
