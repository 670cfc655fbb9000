/** Numbers of a range that are taken; hands out the lowest free one after the last handed out. */
export class NumberPool {
  readonly #taken: Uint8Array;
  readonly #first: number;
  #cursor: number;
  #free: number;

  /** Numbers `first` to `first + size - 1`; automatic ones begin at `dynamicFirst`. */
  constructor(options: { first: number; size: number; dynamicFirst?: number }) {
    this.#first = options.first;
    this.#taken = new Uint8Array(options.size);
    this.#cursor = (options.dynamicFirst ?? options.first) - options.first;
    this.#free = options.size;
  }

  get first(): number {
    return this.#first;
  }

  get last(): number {
    return this.#first + this.#taken.length - 1;
  }

  contains(number: number): boolean {
    return number >= this.#first && number < this.#first + this.#taken.length;
  }

  /** Whether the number was free; it is taken now in any case. */
  take(number: number): boolean {
    const at = number - this.#first;
    if (this.#taken[at] === 1) return false;
    this.#taken[at] = 1;
    this.#free--;
    return true;
  }

  /** A free number, taken now; `undefined` when there is none. */
  takeAny(): number | undefined {
    if (this.#free === 0) return undefined;
    for (let step = 0; step < this.#taken.length; step++) {
      const at = (this.#cursor + step) % this.#taken.length;
      if (this.#taken[at] === 1) continue;
      this.#cursor = (at + 1) % this.#taken.length;
      this.take(this.#first + at);
      return this.#first + at;
    }
    return undefined;
  }

  release(number: number): void {
    const at = number - this.#first;
    if (this.#taken[at] !== 1) return;
    this.#taken[at] = 0;
    this.#free++;
  }
}
