import type { Clock, Timer } from "../lib/clock.ts";

/** Lets the loop take its turns: soon after something happened, or after a while. */
export class TurnPlanner implements Disposable {
  readonly #clock: Clock;
  readonly #turn: () => void;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #isPlanned = false;
  #isOpen = false;
  #isStopped = false;

  constructor(clock: Clock, turn: () => void) {
    this.#clock = clock;
    this.#turn = turn;
  }

  /** Turns begin from now on. */
  open(): void {
    this.#isOpen = true;
    this.plan();
  }

  /** A microtask: after the informer's delivery, before any other work. */
  plan(): void {
    if (this.#isPlanned || !this.#isOpen || this.#isStopped) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      if (!this.#isStopped) this.#turn();
    });
  }

  /** Plans a turn, unless one comes earlier; undefined plans none. */
  planIn(delayMs: number | undefined): void {
    if (delayMs === undefined || this.#isStopped) return;
    const atMs = this.#clock.monotonicMs() + delayMs;
    if (this.#timer && this.#timerAtMs <= atMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.plan();
    });
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
