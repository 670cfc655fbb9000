import { BoundedQueue } from "./bounded-queue.ts";

/**
 * A bounded queue for several takers that keeps the order of each key: of one key at most one
 * entry is out at a time. Keys take turns. Beyond `sizeMax` the oldest entry goes of the key whose
 * turn is next, or if all keys are out, of the one that is out longest.
 */
export class KeyedQueue<T> {
  readonly #sizeMax: number;
  /** Keys with entries. */
  readonly #ready = new Map<string, BoundedQueue<T>>();
  /** The same in the order of their turns: the first of a map is slow to find after deletions. */
  readonly #turns = new BoundedQueue<string>(Infinity);
  /** Keys whose entry was taken and is not done, with what waits behind it. */
  readonly #out = new Map<string, BoundedQueue<T>>();
  #size = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** How many entries wait. */
  get size(): number {
    return this.#size;
  }

  push(key: string, item: T): void {
    let line = this.#out.get(key) ?? this.#ready.get(key);
    if (!line) {
      // What bounds it is the sum of all lines.
      line = new BoundedQueue(Infinity);
      this.#addReady(key, line);
    }
    line.push(item);
    if (++this.#size > this.#sizeMax) this.#dropOne();
  }

  /** The next entry of a key that is not out; `done` must be called with its key. */
  take(): { key: string; item: T } | undefined {
    const key = this.#turns.shift();
    if (key === undefined) return undefined;
    const line = this.#ready.get(key) as BoundedQueue<T>;
    const item = line.shift() as T;
    this.#size--;
    this.#ready.delete(key);
    this.#out.set(key, line);
    return { key, item };
  }

  /** What was taken of the key is over: its next entry may be taken. */
  done(key: string): void {
    const line = this.#out.get(key);
    this.#out.delete(key);
    if (line && line.size > 0) this.#addReady(key, line);
  }

  /** Drops all that waits. */
  clear(): void {
    this.#ready.clear();
    this.#turns.clear();
    for (const line of this.#out.values()) line.clear();
    this.#size = 0;
  }

  #addReady(key: string, line: BoundedQueue<T>): void {
    this.#ready.set(key, line);
    this.#turns.push(key);
  }

  #dropOne(): void {
    this.#size--;
    const key = this.#turns.peek();
    if (key === undefined) {
      for (const line of this.#out.values()) {
        if (line.size === 0) continue;
        line.shift();
        return;
      }
      return;
    }
    const line = this.#ready.get(key) as BoundedQueue<T>;
    line.shift();
    if (line.size > 0) return;
    this.#ready.delete(key);
    this.#turns.shift();
  }
}
