import { type BackoffPolicy, backoffDelayMs } from "../../lib/backoff.ts";

const POLICY: BackoffPolicy = { baseMs: 1_000, maxMs: 15 * 60_000 };
/** Who did not fail for so long begins anew. */
const FORGET_MS = 2 * POLICY.maxMs;

/**
 * Makes each failure of a daemon on a node wait longer for its successor: a node that refuses its
 * pod at once would otherwise be asked without end.
 */
export class FailureBackoff {
  readonly #failures = new Map<string, { attempts: number; atMs: number }>();

  /** How long the next pod of the set on that node has to wait. */
  waitMs(key: string, nowMs: number): number {
    const known = this.#failures.get(key);
    if (!known || nowMs - known.atMs > FORGET_MS) return 0;
    return Math.max(0, known.atMs + backoffDelayMs(POLICY, known.attempts) - nowMs);
  }

  /** A failed pod gives way to the next one. */
  failed(key: string, nowMs: number): void {
    for (const [other, { atMs }] of this.#failures) {
      if (nowMs - atMs > FORGET_MS) this.#failures.delete(other);
    }
    const attempts = (this.#failures.get(key)?.attempts ?? 0) + 1;
    this.#failures.set(key, { attempts, atMs: nowMs });
  }
}
