import type { ClusterState } from "../state/cluster-state.ts";
import type { NodeFilter, SlotScorer } from "./contract.ts";

/** How slots are collected. */
export interface Collecting {
  from: number;
  enough: number;
  /** Gets the slots that pass. */
  found: Int32Array;
  /** What else may refuse a slot. */
  isRefused: ((slot: number) => boolean) | undefined;
}

const UNKNOWN = 0;
const PASSES = 1;
const FAILS = 2;

/**
 * What a profile's filters and scorers say of each slot by itself, remembered until the slot
 * changes: a decision changes one slot, the next one asks about that one again.
 */
export class SlotMemory {
  readonly #state: ClusterState;
  readonly #filters: readonly NodeFilter[];
  readonly #scorers: readonly { weight: number; scorer: SlotScorer }[];
  #verdicts = new Uint8Array(0);
  /** NaN where it is not known. */
  #totals = new Float64Array(0);
  /** How many changes of the state are taken over. */
  #changes = 0;
  readonly #forget = (slot: number): void => {
    this.#verdicts[slot] = UNKNOWN;
    this.#totals[slot] = Number.NaN;
  };

  constructor(
    state: ClusterState,
    of: {
      filters: readonly NodeFilter[];
      scorers: readonly { weight: number; scorer: SlotScorer }[];
    },
  ) {
    this.#state = state;
    this.#filters = of.filters;
    this.#scorers = of.scorers;
  }

  /** Takes over what changed. */
  refresh(): void {
    const { changes, capacity } = this.#state;
    const isLarger = this.#verdicts.length < capacity;
    if (!isLarger && this.#changes === changes.length) return;
    if (isLarger) {
      this.#verdicts = new Uint8Array(capacity);
      this.#totals = new Float64Array(capacity).fill(Number.NaN);
    } else if (!changes.visitSince(this.#changes, this.#forget)) {
      this.#verdicts.fill(UNKNOWN);
      this.#totals.fill(Number.NaN);
    }
    this.#changes = changes.length;
  }

  passes(slot: number): boolean {
    const verdict = this.#verdicts[slot];
    return verdict === PASSES || (verdict === UNKNOWN && this.#judge(slot));
  }

  /** Finds slots that pass, from candidate `from` on and around, until there are `enough`. */
  collect(candidates: Int32Array, of: Collecting): number {
    const { enough, found, isRefused } = of;
    const verdicts = this.#verdicts;
    const total = candidates.length;
    let at = of.from;
    let count = 0;
    for (let step = 0; step < total && count < enough; step++) {
      const slot = candidates[at] as number;
      if (++at === total) at = 0;
      const verdict = verdicts[slot];
      if (verdict !== PASSES && (verdict !== UNKNOWN || !this.#judge(slot))) continue;
      if (!isRefused?.(slot)) found[count++] = slot;
    }
    return count;
  }

  /** Writes the weighted sum of the scores of each slot. */
  writeTotals(slots: Int32Array, of: { count: number; totals: Float64Array }): void {
    const { count, totals } = of;
    const known = this.#totals;
    for (let at = 0; at < count; at++) {
      const slot = slots[at] as number;
      const total = known[slot] as number;
      totals[at] = Number.isNaN(total) ? this.#score(slot) : total;
    }
  }

  #judge(slot: number): boolean {
    const passes = this.#filters.every((filter) => filter.test(slot) === 0);
    this.#verdicts[slot] = passes ? PASSES : FAILS;
    return passes;
  }

  #score(slot: number): number {
    let total = 0;
    for (const { weight, scorer } of this.#scorers) total += weight * scorer.scoreOf(slot);
    this.#totals[slot] = total;
    return total;
  }
}
