/** Sorts after every part of a key: names and namespaces are ASCII. */
const LAST = "\uffff";

/** The keys of a resource in order, so that lists and pages need no sorting. */
export class SortedKeys {
  readonly #keys: string[];

  /** `keys` must be sorted and free of repetition. */
  constructor(keys: string[]) {
    this.#keys = keys;
  }

  get size(): number {
    return this.#keys.length;
  }

  add(key: string): void {
    const at = this.#lowerBound(key);
    if (this.#keys[at] === key) return;
    if (at === this.#keys.length) this.#keys.push(key);
    else this.#keys.splice(at, 0, key);
  }

  remove(key: string): void {
    const at = this.#lowerBound(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** Keys with `prefix`, from `start` (inclusive) on. */
  range(prefix: string, start?: string): readonly string[] {
    const from = this.#lowerBound(start !== undefined && start > prefix ? start : prefix);
    if (prefix === "") return from === 0 ? this.#keys : this.#keys.slice(from);
    return this.#keys.slice(from, this.#lowerBound(`${prefix}${LAST}`));
  }

  /** How many keys have `prefix`. */
  count(prefix: string): number {
    if (prefix === "") return this.#keys.length;
    return this.#lowerBound(`${prefix}${LAST}`) - this.#lowerBound(prefix);
  }

  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
