/** Sorts after every part of a key: names and namespaces are ASCII. */
const LAST = "\uffff";
/** An insertion moves at most so many keys, however many there are. */
const BLOCK_MAX = 512;

/**
 * The keys of a resource in order, so that lists and pages need no sorting: blocks of bounded size,
 * none of them empty.
 */
export class SortedKeys {
  readonly #blocks: string[][] = [];
  #size: number;

  /** `keys` must be sorted and free of repetition. */
  constructor(keys: readonly string[]) {
    this.#size = keys.length;
    for (let at = 0; at < keys.length; at += BLOCK_MAX / 2) {
      this.#blocks.push(keys.slice(at, at + BLOCK_MAX / 2));
    }
  }

  get size(): number {
    return this.#size;
  }

  add(key: string): void {
    const blockAt = this.#blockOf(key);
    const block = this.#blocks[blockAt];
    if (!block) {
      this.#blocks.push([key]);
      this.#size++;
      return;
    }
    const at = lowerBound(block, key);
    if (block[at] === key) return;
    this.#size++;
    if (at === block.length) block.push(key);
    else block.splice(at, 0, key);
    if (block.length < BLOCK_MAX) return;
    // Keys that come in order fill their blocks: only the newest one stays short.
    const isLast = at === block.length - 1;
    this.#blocks.splice(blockAt + 1, 0, block.splice(isLast ? BLOCK_MAX - 1 : BLOCK_MAX / 2));
  }

  remove(key: string): void {
    const blockAt = this.#blockOf(key);
    const block = this.#blocks[blockAt];
    if (!block) return;
    const at = lowerBound(block, key);
    if (block[at] !== key) return;
    block.splice(at, 1);
    this.#size--;
    if (block.length === 0) this.#blocks.splice(blockAt, 1);
  }

  /** Keys with `prefix`, from `start` (inclusive) on. */
  range(prefix: string, start?: string): string[] {
    const from = start !== undefined && start > prefix ? start : prefix;
    const end = prefix === "" ? LAST : `${prefix}${LAST}`;
    const found: string[] = [];
    for (let blockAt = this.#blockOf(from); blockAt < this.#blocks.length; blockAt++) {
      const block = this.#blocks[blockAt] as string[];
      if ((block[0] as string) >= end) break;
      const isWhole = (block[0] as string) >= from && (block.at(-1) as string) < end;
      const first = isWhole ? 0 : lowerBound(block, from);
      const last = isWhole ? block.length : lowerBound(block, end);
      for (let at = first; at < last; at++) found.push(block[at] as string);
    }
    return found;
  }

  /** How many keys have `prefix`. */
  count(prefix: string): number {
    if (prefix === "") return this.#size;
    return this.#rank(`${prefix}${LAST}`) - this.#rank(prefix);
  }

  /** How many keys are below `key`. */
  #rank(key: string): number {
    const blockAt = this.#blockOf(key);
    let rank = lowerBound(this.#blocks[blockAt] ?? [], key);
    for (let at = 0; at < blockAt; at++) rank += (this.#blocks[at] as string[]).length;
    return rank;
  }

  /** The last block whose first key is not above `key`; 0 when there is none. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle]?.[0] as string) <= key) low = middle + 1;
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
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
