/**
 * A map that can be walked in the order of its keys' UTF-8 bytes. Changes cost what a plain map's
 * do; the first walk after the set of keys changed sorts it. Must not be changed while it is
 * iterated.
 */
export class SortedMap<V> {
  readonly #values = new Map<string, V>();
  #sorted: readonly string[] | undefined;

  get size(): number {
    return this.#values.size;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    const before = this.#values.size;
    this.#values.set(key, value);
    if (this.#values.size !== before) this.#sorted = undefined;
  }

  delete(key: string): boolean {
    const deleted = this.#values.delete(key);
    if (deleted) this.#sorted = undefined;
    return deleted;
  }

  /** Entries in key order from the first key that is not below `start`. */
  *entriesFrom(start: string): Generator<[string, V]> {
    this.#sorted ??= [...this.#values.keys()].sort(compareUtf8);
    const keys = this.#sorted;
    for (let at = lowerBound(keys, start); at < keys.length; at++) {
      const key = keys[at] as string;
      yield [key, this.#values.get(key) as V];
    }
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(keys[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Orders strings as their UTF-8 bytes would be; negative when `a` comes first. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA === unitB) continue;
    // UTF-16 sorts surrogates below U+E000..U+FFFF, though they stand for higher code points.
    return weight(unitA) - weight(unitB);
  }
  return a.length - b.length;
}

function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
