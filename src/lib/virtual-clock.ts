import type { Clock, Timer } from "./clock.ts";

interface PendingTimer {
  dueMs: number;
  /** Keeps timers of the same instant in the order they were set. */
  order: number;
  fire: () => void;
}

/**
 * A clock that moves only when told to, for tests and simulations of every layer. Between two
 * timers all work that was ready (promises, immediates, in-memory I/O) runs to its end.
 */
export class VirtualClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;
  #order = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(startMs: number = Date.UTC(2025, 0, 1)) {
    this.#startMs = startMs;
  }

  now(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** How many timers are armed; a test that ends with some has leaked them. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const timer = { dueMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves time on by `byMs`, firing each timer at its own instant and in order. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#elapsedMs + byMs;
    await settle();
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      this.#timers.delete(next);
      this.#elapsedMs = next.dueMs;
      next.fire();
      await settle();
    }
    this.#elapsedMs = untilMs;
    await settle();
  }

  /** Moves time from timer to timer until `done()` holds. @throws Error after `limitMs` */
  async advanceUntil(done: () => boolean, limitMs = 3_600_000): Promise<void> {
    const endMs = this.#elapsedMs + limitMs;
    await settle();
    while (!done()) {
      const next = this.#next(endMs);
      if (!next) throw new Error(`Cannot reach the state within ${limitMs} ms of virtual time`);
      await this.advance(next.dueMs - this.#elapsedMs);
    }
  }

  #next(untilMs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue;
      const earlier = !first || timer.dueMs < first.dueMs;
      if (earlier || (timer.dueMs === first?.dueMs && timer.order < first.order)) first = timer;
    }
    return first;
  }
}

/** Lets promises and immediates that are ready run; a chain of a few immediates settles too. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((done) => setImmediate(done));
}
