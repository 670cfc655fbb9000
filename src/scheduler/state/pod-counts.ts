import type { LabelColumn } from "./label-column.ts";

/** Which slots belong to the domains of a count; `version` changes with the answer. */
export interface Eligibility {
  readonly version: number;
  has(slot: number): boolean;
}

/** How many pods of some set are on each slot, and views of that per domain of a label. */
export class PodCounts {
  readonly bySlot: Map<number, number> = new Map();
  total = 0;
  readonly #views: DomainCounts[] = [];

  add(slot: number, delta: number): void {
    const count = (this.bySlot.get(slot) ?? 0) + delta;
    if (count === 0) this.bySlot.delete(slot);
    else this.bySlot.set(slot, count);
    this.total += delta;
    for (const view of this.#views) view.add(slot, delta);
  }

  /** A view that stays current until it is disposed. */
  view(column: LabelColumn, eligibility?: Eligibility): DomainCounts {
    const view: DomainCounts = new DomainCounts({ counts: this, column, eligibility }, () => {
      this.#views.splice(this.#views.indexOf(view), 1);
    });
    this.#views.push(view);
    return view;
  }
}

/** Pods per domain. Kept by increments; built anew only when nodes changed. */
export class DomainCounts implements Disposable {
  readonly column: LabelColumn;
  /** Pods on slots that are in some domain. */
  total = 0;
  #perDomain = new Int32Array(0);
  /** Eligible slots per domain; only kept with an eligibility. */
  #members: Int32Array | undefined;
  #domains = 0;
  readonly #counts: PodCounts;
  readonly #eligibility: Eligibility | undefined;
  readonly #onDispose: () => void;
  #columnVersion = -1;
  #eligibilityVersion = -1;

  constructor(
    of: { counts: PodCounts; column: LabelColumn; eligibility: Eligibility | undefined },
    onDispose: () => void,
  ) {
    this.#counts = of.counts;
    this.column = of.column;
    this.#eligibility = of.eligibility;
    this.#onDispose = onDispose;
  }

  [Symbol.dispose](): void {
    this.#onDispose();
  }

  /** The counts by domain; read them at once, the next change may replace the array. */
  current(): Int32Array {
    const { column } = this;
    const eligibilityVersion = this.#eligibility?.version ?? -1;
    if (this.#columnVersion !== column.version || this.#eligibilityVersion !== eligibilityVersion) {
      this.#columnVersion = column.version;
      this.#eligibilityVersion = eligibilityVersion;
      this.#rebuild();
    }
    return this.#perDomain;
  }

  /** Domains that have an eligible slot. Valid after `current`. */
  get domains(): number {
    return this.#domains;
  }

  /** The smallest count of any domain that has an eligible slot; Infinity without one. */
  least(): number {
    const perDomain = this.current();
    const members = this.#members;
    let least = Number.POSITIVE_INFINITY;
    for (let domain = 0; domain < perDomain.length; domain++) {
      const count = perDomain[domain] as number;
      if (count < least && (!members || (members[domain] as number) > 0)) least = count;
    }
    return least;
  }

  add(slot: number, delta: number): void {
    if (this.#columnVersion !== this.column.version) return;
    const domain = this.column.ids[slot] as number;
    if (domain < 0 || (this.#eligibility && !this.#eligibility.has(slot))) return;
    this.#perDomain[domain] = (this.#perDomain[domain] as number) + delta;
    this.total += delta;
  }

  #rebuild(): void {
    const { column } = this;
    const { ids, size } = column;
    if (this.#perDomain.length !== size) this.#perDomain = new Int32Array(size);
    else this.#perDomain.fill(0);
    this.total = 0;
    for (const [slot, count] of this.#counts.bySlot) this.add(slot, count);
    const eligibility = this.#eligibility;
    if (!eligibility && column.domains === size) {
      this.#members = undefined;
      this.#domains = size;
      return;
    }
    const members = new Int32Array(size);
    this.#domains = 0;
    for (let slot = 0; slot < ids.length; slot++) {
      const domain = ids[slot] as number;
      if (domain < 0 || (eligibility && !eligibility.has(slot))) continue;
      if (members[domain] === 0) this.#domains++;
      members[domain] = (members[domain] as number) + 1;
    }
    this.#members = members;
  }
}
