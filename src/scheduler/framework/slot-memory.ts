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
 * changes: a decision changes one slot, the next one asks about that one again. It is kept in the
 * order in which slots are candidates, so that a decision goes through a piece of memory in a row.
 */
export class SlotMemory {
  readonly #state: ClusterState;
  readonly #filters: readonly NodeFilter[];
  readonly #scorers: readonly { weight: number; scorer: SlotScorer }[];
  /** The slots of the nodes that exist; the next two are parallel to it. */
  #order: Int32Array = new Int32Array(0);
  #verdicts = new Uint8Array(0);
  /** Weighted sums of the scores, of slots that pass. */
  #totals = new Float64Array(0);
  /** Where a slot is in the order, -1 if nowhere. */
  #positions: Int32Array = new Int32Array(0);
  /** How many changes of the state are taken over. */
  #changes = 0;
  /** What the decision at hand collected, if it lies in a row: from where on, and how many. */
  #runFrom = 0;
  #runLength = 0;
  readonly #forget = (slot: number): void => {
    const at = this.#positions[slot] ?? -1;
    if (at >= 0) this.#verdicts[at] = UNKNOWN;
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

  /** Takes over what changed. Call before every decision. */
  refresh(): void {
    this.#runLength = 0;
    const { changes, live } = this.#state;
    if (live !== this.#order) this.#reorder(live);
    if (this.#changes === changes.length) return;
    if (!changes.visitSince(this.#changes, this.#forget)) this.#verdicts.fill(UNKNOWN);
    this.#changes = changes.length;
  }

  passes(slot: number): boolean {
    const at = this.#positions[slot] ?? -1;
    return at < 0 ? this.#test(slot) : this.#passesAt(at);
  }

  /** Finds slots that pass, from candidate `from` on and around, until there are `enough`. */
  collect(candidates: Int32Array, of: Collecting): number {
    const { from, enough, found, isRefused } = of;
    const total = candidates.length;
    const wanted = Math.min(enough, total);
    if (candidates === this.#order && !isRefused && this.#isRun(from, wanted)) {
      this.#runFrom = from;
      this.#runLength = wanted;
      this.#copyRun(this.#order, found);
      return wanted;
    }
    let at = from;
    let count = 0;
    for (let step = 0; step < total && count < enough; step++) {
      const slot = candidates[at] as number;
      if (++at === total) at = 0;
      if (this.passes(slot) && !isRefused?.(slot)) found[count++] = slot;
    }
    return count;
  }

  /** Writes the weighted sum of the scores of each slot. */
  writeTotals(slots: Int32Array, of: { count: number; totals: Float64Array }): void {
    const { count, totals } = of;
    if (count > 0 && count === this.#runLength) {
      this.#copyRun(this.#totals, totals);
      return;
    }
    for (let each = 0; each < count; each++) {
      const slot = slots[each] as number;
      const at = this.#positions[slot] ?? -1;
      const isKnown = at >= 0 && this.#verdicts[at] === PASSES;
      totals[each] = isKnown ? (this.#totals[at] as number) : this.#score(slot);
    }
  }

  /** Nodes came or went: what is known of the others moves to their new places. */
  #reorder(live: Int32Array): void {
    const [positions, verdicts, totals] = [this.#positions, this.#verdicts, this.#totals];
    this.#order = live;
    this.#positions = new Int32Array(this.#state.capacity).fill(-1);
    this.#verdicts = new Uint8Array(live.length);
    this.#totals = new Float64Array(live.length);
    for (let at = 0; at < live.length; at++) {
      const slot = live[at] as number;
      this.#positions[slot] = at;
      const before = positions[slot] ?? -1;
      if (before < 0) continue;
      this.#verdicts[at] = verdicts[before] as number;
      this.#totals[at] = totals[before] as number;
    }
  }

  /** Whether so many slots in a row pass, from a position on and around. */
  #isRun(from: number, length: number): boolean {
    const end = from + length;
    const total = this.#verdicts.length;
    if (end <= total) return this.#allPass(from, end);
    return this.#allPass(from, total) && this.#allPass(0, end - total);
  }

  #allPass(from: number, end: number): boolean {
    const verdicts = this.#verdicts;
    for (let at = from; at < end; at++) {
      if (verdicts[at] !== PASSES && !this.#passesAt(at)) return false;
    }
    return true;
  }

  #copyRun<T extends Int32Array | Float64Array>(column: T, target: T): void {
    const [from, length] = [this.#runFrom, this.#runLength];
    const first = Math.min(length, column.length - from);
    target.set(column.subarray(from, from + first));
    if (first < length) target.set(column.subarray(0, length - first), first);
  }

  #passesAt(at: number): boolean {
    if (this.#verdicts[at] !== UNKNOWN) return this.#verdicts[at] === PASSES;
    const slot = this.#order[at] as number;
    const passes = this.#test(slot);
    this.#verdicts[at] = passes ? PASSES : FAILS;
    if (passes) this.#totals[at] = this.#score(slot);
    return passes;
  }

  #test(slot: number): boolean {
    return this.#filters.every((filter) => filter.test(slot) === 0);
  }

  #score(slot: number): number {
    let total = 0;
    for (const { weight, scorer } of this.#scorers) total += weight * scorer.scoreOf(slot);
    return total;
  }
}
