const BLOCK_MAX = 256;

interface Block<V> {
  keys: string[];
  values: V[];
}

/**
 * A map whose keys are ordered by their UTF-8 bytes. Sorted blocks of bounded size: insertion
 * costs one binary search and moves at most a block, iteration is a walk over arrays. Must not be
 * changed while it is iterated.
 */
export class SortedMap<V> {
  #blocks: Block<V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const block = this.#blocks[this.#blockOf(key)];
    if (!block) return undefined;
    const at = lowerBound(block.keys, key);
    return block.keys[at] === key ? block.values[at] : undefined;
  }

  set(key: string, value: V): void {
    const blockAt = this.#blockOf(key);
    const block = this.#blocks[blockAt];
    if (!block) {
      this.#blocks.push({ keys: [key], values: [value] });
      this.#size++;
      return;
    }
    const at = lowerBound(block.keys, key);
    if (block.keys[at] === key) {
      block.values[at] = value;
      return;
    }
    block.keys.splice(at, 0, key);
    block.values.splice(at, 0, value);
    this.#size++;
    if (block.keys.length > BLOCK_MAX) {
      const keys = block.keys.splice(BLOCK_MAX / 2);
      const values = block.values.splice(BLOCK_MAX / 2);
      this.#blocks.splice(blockAt + 1, 0, { keys, values });
    }
  }

  delete(key: string): boolean {
    const blockAt = this.#blockOf(key);
    const block = this.#blocks[blockAt];
    if (!block) return false;
    const at = lowerBound(block.keys, key);
    if (block.keys[at] !== key) return false;
    block.keys.splice(at, 1);
    block.values.splice(at, 1);
    this.#size--;
    if (block.keys.length === 0) this.#blocks.splice(blockAt, 1);
    return true;
  }

  /** Entries in key order from the first key that is not below `start`. */
  *entriesFrom(start: string): Generator<[string, V]> {
    let blockAt = this.#blockOf(start);
    let at = lowerBound(this.#blocks[blockAt]?.keys ?? [], start);
    for (; blockAt < this.#blocks.length; blockAt++, at = 0) {
      const { keys, values } = this.#blocks[blockAt] as Block<V>;
      for (; at < keys.length; at++) yield [keys[at] as string, values[at] as V];
    }
  }

  /** The last block whose first key is not above `key`; 0 when there is none. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.#blocks[middle]?.keys[0] as string, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
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
