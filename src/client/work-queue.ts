import { type BackoffPolicy, backoffDelayMs } from "../lib/backoff.ts";
import type { Clock, Timer } from "../lib/clock.ts";

const RETRY: BackoffPolicy = { baseMs: 5, maxMs: 60_000 };
const SIZE_MAX = 100_000;

/** Settings of a queue; the defaults suit a controller. */
export interface WorkQueueOptions {
  clock: Clock;
  retry?: BackoffPolicy;
  /** Distinct keys that may wait; `add` refuses more. */
  sizeMax?: number;
  /** Is told how long each key waited that a worker takes. */
  taken?: (waitedMs: number) => void;
}

/**
 * Keys waiting for a worker. A key waits at most once, however often it is added, and is never
 * handed out while a worker still has it: added meanwhile, it comes again after `done`.
 */
export class WorkQueue implements Disposable {
  readonly #clock: Clock;
  readonly #retry: BackoffPolicy;
  readonly #sizeMax: number;
  readonly #taken: (waitedMs: number) => void;
  /** Since when each key waits; insertion order is the order of service. */
  readonly #waiting = new Map<string, number>();
  readonly #running = new Set<string>();
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { dueMs: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;
  #adds = 0;
  #retries = 0;

  constructor({ clock, retry = RETRY, sizeMax = SIZE_MAX, taken }: WorkQueueOptions) {
    this.#taken = taken ?? (() => undefined);
    this.#clock = clock;
    this.#retry = retry;
    this.#sizeMax = sizeMax;
  }

  /** Keys that wait now; delayed and running ones are not counted. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Keys that were added since the start and did not wait already. */
  get adds(): number {
    return this.#adds;
  }

  /** Calls of `retry` since the start. */
  get retries(): number {
    return this.#retries;
  }

  /** Whether nothing waits, runs or is to run later. */
  get idle(): boolean {
    return this.#waiting.size + this.#running.size + this.#delayed.size === 0;
  }

  /** @returns false when the queue is full and the key was dropped */
  add(key: string): boolean {
    if (this.#closed || this.#waiting.has(key)) return true;
    this.#adds++;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return true;
    }
    if (this.#waiting.size >= this.#sizeMax) return false;
    const taker = this.#takers.shift();
    if (taker) {
      this.#running.add(key);
      this.#taken(0);
      taker(key);
    } else {
      this.#waiting.set(key, this.#clock.monotonicMs());
    }
    return true;
  }

  /** Adds the key after a delay; of several delays the shortest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const earlier = this.#delayed.get(key);
    if (earlier && earlier.dueMs <= dueMs) return;
    earlier?.timer.cancel();
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      if (!this.add(key)) this.addAfter(key, this.#retry.maxMs);
    });
    this.#delayed.set(key, { dueMs, timer });
  }

  /** Adds the key after a delay that doubles with each failure since the last `forget`. */
  retry(key: string): { attempt: number; delayMs: number } {
    const attempt = (this.#failures.get(key) ?? 0) + 1;
    this.#retries++;
    this.#failures.set(key, attempt);
    const delayMs = backoffDelayMs(this.#retry, attempt);
    this.addAfter(key, delayMs);
    return { attempt, delayMs };
  }

  /** Calls of `retry` for the key since its last `forget`. */
  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key succeeded, or will not be tried again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, when there is one; `undefined` after the queue was closed. Call `done` with it. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const [first] = this.#waiting;
    if (!first) return new Promise((taker) => this.#takers.push(taker));
    const [key, sinceMs] = first;
    this.#taken(this.#clock.monotonicMs() - sinceMs);
    this.#waiting.delete(key);
    this.#running.add(key);
    return Promise.resolve(key);
  }

  /** The worker is through with the key. */
  done(key: string): void {
    this.#running.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#again.clear();
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }
}
