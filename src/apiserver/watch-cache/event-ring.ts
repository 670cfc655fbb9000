import type { CacheEvent } from "./cache-event.ts";

/** How much history a ring keeps. */
export interface EventRingLimits {
  /** Kept whatever their age. */
  eventsMin: number;
  /** Never more, however young. */
  eventsMax: number;
  /** Younger events are kept up to `eventsMax`. */
  ageMs: number;
  /** Bytes of the replaced and removed states in kept events beyond `eventsMin`. */
  bytesMax: number;
}

/** Upstream keeps at least 75 s per kind, between 100 and 102,400 events, whatever their size. */
export const DEFAULT_RING_LIMITS: EventRingLimits = {
  eventsMin: 100,
  eventsMax: 102_400,
  ageMs: 75_000,
  bytesMax: 8 * 1024 * 1024,
};

/** The recent events of one resource in revision order, bounded by age, number and size. */
export class EventRing {
  readonly #limits: EventRingLimits;
  /** Kept ones from `#head` on; the empty places before are cut off now and then. */
  #events: (CacheEvent | undefined)[] = [];
  #head = 0;
  #sizeBytes = 0;
  #startRevision: number;

  constructor(startRevision: number, limits: EventRingLimits) {
    this.#startRevision = startRevision;
    this.#limits = limits;
  }

  /** Events after this revision are complete; a watch from before it has expired. */
  get startRevision(): number {
    return this.#startRevision;
  }

  push(event: CacheEvent): void {
    this.#events.push(event);
    this.#sizeBytes += event.sizeBytes;
    const { eventsMin, eventsMax, ageMs, bytesMax } = this.#limits;
    while (true) {
      const oldest = this.#events[this.#head];
      const kept = this.#events.length - this.#head;
      if (!oldest || kept <= eventsMin) break;
      const isYoung = event.timeMs - oldest.timeMs < ageMs;
      if (kept <= eventsMax && isYoung && this.#sizeBytes <= bytesMax) break;
      this.#startRevision = oldest.revision;
      this.#sizeBytes -= oldest.sizeBytes;
      this.#events[this.#head++] = undefined;
    }
    if (this.#head > 64 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
  }

  /** All kept events with a revision above `revision`. */
  after(revision: number): CacheEvent[] {
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low) as CacheEvent[];
  }
}
