import { StatusError } from "../../api/errors.ts";
import { parseDuration } from "../../lib/cel/functions/time-text.ts";
import type { Clock } from "../../lib/clock.ts";
import { LinkedList } from "../../lib/linked-list.ts";
import type { Query } from "../request/query.ts";

/** What is neither watched nor streamed takes no longer; upstream's `--request-timeout`. */
export const REQUEST_MAX_MS = 60_000;

/**
 * How long a request may take: the server's limit, or less if its `timeout` asks for less. Zero
 * and negative ask for nothing. @throws StatusError BadRequest for text that is no duration of Go
 */
export function allowedMs(query: Query): number {
  const text = query.get("timeout");
  if (text === undefined) return REQUEST_MAX_MS;
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined) {
    throw new StatusError(
      "BadRequest",
      `invalid timeout specified in the request URL - time: invalid duration "${text}"`,
    );
  }
  const asked = Number(nanoseconds) / 1e6;
  return asked > 0 ? Math.min(asked, REQUEST_MAX_MS) : REQUEST_MAX_MS;
}

interface Bounded {
  dueMs: number;
  expire(): void;
}

/** Bounds what requests wait for. Those with the server's own limit, nearly all, share a timer. */
export class Deadlines {
  readonly #clock: Clock;
  /** In the order in which they are due, as all have the same limit. */
  readonly #waiting = new LinkedList<Bounded>();
  #isArmed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for `work`, which goes on by itself when it is too late: what it wrote stays written.
   * @throws StatusError Timeout
   */
  within<T>(limitMs: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const expire = () => {
        const text = "Timeout: request did not complete within the allotted timeout";
        reject(new StatusError("Timeout", text));
      };
      const cancel = limitMs === REQUEST_MAX_MS ? this.#add(expire) : this.#time(limitMs, expire);
      work.then(
        (value) => {
          cancel();
          resolve(value);
        },
        (error: unknown) => {
          cancel();
          reject(error);
        },
      );
    });
  }

  #time(limitMs: number, expire: () => void): () => void {
    const timer = this.#clock.setTimer(limitMs, expire);
    return () => timer.cancel();
  }

  #add(expire: () => void): () => void {
    const dueMs = this.#clock.monotonicMs() + REQUEST_MAX_MS;
    const link = this.#waiting.add({ dueMs, expire });
    if (!this.#isArmed) this.#arm(REQUEST_MAX_MS);
    return () => this.#waiting.remove(link);
  }

  #arm(delayMs: number): void {
    this.#isArmed = true;
    this.#clock.setTimer(delayMs, () => this.#expire());
  }

  #expire(): void {
    this.#isArmed = false;
    const nowMs = this.#clock.monotonicMs();
    for (let next = this.#waiting.first; next; next = this.#waiting.first) {
      const restMs = next.dueMs - nowMs;
      if (restMs > 0) return this.#arm(restMs);
      this.#waiting.shift();
      next.expire();
    }
  }
}
