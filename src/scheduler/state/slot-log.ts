/** Whoever looks less often than once in so many changes starts over. */
const KEPT = 4_096;

/** Which slots changed, in order: what was worked out for the others is still true. */
export class SlotLog {
  /** How many changes there were. */
  length = 0;
  readonly #ring = new Int32Array(KEPT);

  add(slot: number): void {
    this.#ring[this.length++ % KEPT] = slot;
  }

  /** Visits the slots that changed since there were `from` changes; false when that is forgotten. */
  visitSince(from: number, visit: (slot: number) => void): boolean {
    if (this.length - from > KEPT) return false;
    for (let at = from; at < this.length; at++) visit(this.#ring[at % KEPT] as number);
    return true;
  }
}
