import { StatusError } from "../../api/errors.ts";
import type { PriorityLevelConfigurationSpec } from "../../api/generated/types/flowcontrol-v1.ts";
import type { Clock } from "../../lib/clock.ts";
import { type LevelDemand, lendingOf } from "./borrowing.ts";
import { dealHand } from "./shuffle-shard.ts";

/** A request that is still waiting by then is refused. */
const WAIT_MAX_MS = 15_000;
const RETRY_AFTER_SECONDS = 1;

interface Waiter {
  admit(): void;
}

/** How many requests of one priority are served at once, and who is next. */
export class PriorityLevel {
  readonly uid: string;
  readonly #clock: Clock;
  #spec: PriorityLevelConfigurationSpec;
  #limit = 1;
  #inUse = 0;
  #waiting = 0;
  /** The most requests at once, served or waiting, since somebody asked. */
  #peak = 0;
  #nominal = 1;
  /** One flow that asks too much fills few of these; the others go on. */
  #queues: Waiter[][] = [];
  #turn = 0;

  constructor(uid: string, of: { spec: PriorityLevelConfigurationSpec; clock: Clock }) {
    this.uid = uid;
    this.#spec = of.spec;
    this.#clock = of.clock;
  }

  get isExempt(): boolean {
    return this.#spec.type === "Exempt";
  }

  get inUse(): number {
    return this.#inUse;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Seats that it has for itself, and those that it has now, lent or borrowed ones counted. */
  get seats(): { nominal: number; limit: number } {
    return { nominal: this.#nominal, limit: this.#limit };
  }

  /** What it has and wants; the next peak begins with what there is now. */
  takeDemand(): LevelDemand {
    const peak = Math.max(this.#peak, this.#inUse + this.#waiting);
    this.#peak = this.#inUse + this.#waiting;
    return { nominal: this.#nominal, peak, ...lendingOf(this.#spec, this.#nominal) };
  }

  /** So many seats it has now, lent or borrowed ones counted. */
  allot(seats: number): void {
    this.#limit = Math.max(1, seats);
    this.#next();
  }

  /** Takes a changed configuration; those who wait keep their places. */
  configure(spec: PriorityLevelConfigurationSpec, nominal: number): void {
    this.#spec = spec;
    this.#nominal = Math.max(1, nominal);
    this.#limit = this.#nominal;
    const wanted = spec.limited?.limitResponse?.queuing?.queues ?? 1;
    while (this.#queues.length < wanted) this.#queues.push([]);
    this.#next();
  }

  /** True when a seat was free. */
  tryAcquire(): boolean {
    if (this.#inUse >= this.#limit && !this.isExempt) return false;
    if (++this.#inUse > this.#peak) this.#peak = this.#inUse;
    return true;
  }

  /** Resolves with a seat. @throws StatusError TooManyRequests */
  async acquire(flow: string): Promise<void> {
    const { limitResponse } = this.#spec.limited ?? {};
    if (limitResponse?.type !== "Queue") throw tooMany();
    const { queues = 64, handSize = 8, queueLengthLimit = 50 } = limitResponse.queuing ?? {};
    const queue = this.#shortest(dealHand(flow, { queues, handSize }));
    if (!queue || queue.length >= queueLengthLimit) throw tooMany();
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        admit: () => {
          timer.cancel();
          this.#waiting--;
          this.#inUse++;
          resolve();
        },
      };
      const timer = this.#clock.setTimer(WAIT_MAX_MS, () => {
        const at = queue.indexOf(waiter);
        if (at < 0) return;
        queue.splice(at, 1);
        this.#waiting--;
        reject(tooMany());
      });
      queue.push(waiter);
      this.#waiting++;
      this.#peak = Math.max(this.#peak, this.#inUse + this.#waiting);
    });
  }

  /** Gives a seat back; the next queue in turn gets it. */
  release(): void {
    this.#inUse--;
    if (this.#waiting > 0) this.#next();
  }

  #next(): void {
    while (this.#waiting > 0 && (this.#inUse < this.#limit || this.isExempt)) {
      const waiter = this.#takeTurn();
      if (!waiter) return;
      waiter.admit();
    }
  }

  #takeTurn(): Waiter | undefined {
    for (let step = 0; step < this.#queues.length; step++) {
      this.#turn = (this.#turn + 1) % this.#queues.length;
      const waiter = this.#queues[this.#turn]?.shift();
      if (waiter) return waiter;
    }
    return undefined;
  }

  #shortest(hand: readonly number[]): Waiter[] | undefined {
    let shortest: Waiter[] | undefined;
    for (const at of hand) {
      const queue = this.#queues[at];
      if (queue && (!shortest || queue.length < shortest.length)) shortest = queue;
    }
    return shortest;
  }
}

function tooMany(): StatusError {
  return new StatusError("TooManyRequests", "too many requests, please try again later", {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
