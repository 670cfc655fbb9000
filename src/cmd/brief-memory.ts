import type { Clock } from "../lib/clock.ts";

/** Who asks within this time of another with the same question shares its answer, as upstream. */
const JOIN_MS = 500;

/** An answer, and for how long it is believed. */
export interface Belief<T> {
  answer: T;
  forMs: number;
}

/**
 * Answers by their question. A question that is being asked is not asked again meanwhile; when
 * there are too many, the one that was needed least lately goes. Failures are not kept.
 */
export class BriefMemory<T> {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #kept = new Map<string, { answer: Promise<T>; untilMs: number }>();

  constructor(clock: Clock, { max }: { max: number }) {
    this.#clock = clock;
    this.#max = max;
  }

  /** What `ask` said, lately or now; fails as it does. */
  get(question: string, ask: () => Promise<Belief<T>>): Promise<T> {
    const known = this.#kept.get(question);
    this.#kept.delete(question);
    if (known && this.#clock.monotonicMs() < known.untilMs) {
      this.#kept.set(question, known);
      return known.answer;
    }
    if (this.#kept.size >= this.#max) {
      const [oldest = ""] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    const kept = { answer: this.#ask(ask, (forMs) => keep(forMs)), untilMs: 0 };
    const keep = (forMs: number) => {
      kept.untilMs = this.#clock.monotonicMs() + forMs;
    };
    keep(JOIN_MS);
    this.#kept.set(question, kept);
    return kept.answer;
  }

  async #ask(ask: () => Promise<Belief<T>>, keep: (forMs: number) => void): Promise<T> {
    try {
      const { answer, forMs } = await ask();
      keep(forMs);
      return answer;
    } catch (error) {
      keep(0);
      throw error;
    }
  }
}
