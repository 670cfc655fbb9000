/** A first-in first-out queue that drops its oldest entry rather than grow beyond `sizeMax`. */
export class BoundedQueue<T> {
  readonly #sizeMax: number;
  #items: T[] = [];
  #head = 0;
  #dropped = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** How many entries were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  push(item: T): void {
    // Where there are thousands, most hold one: that takes room for no more.
    if (this.#items.length === 0) this.#items = [item];
    else this.#items.push(item);
    if (this.size <= this.#sizeMax) return;
    this.shift();
    this.#dropped++;
  }

  /** The oldest entry, which stays. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined as T;
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
