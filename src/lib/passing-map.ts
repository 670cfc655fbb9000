/** Emptied when its key is deleted. */
interface Held<V> {
  value: V | undefined;
}

/**
 * A `Map` for keys that come and go all the time. Its own tables hold no values: a `Map` now and
 * then copies its table, and V8 chains the old tables to the new ones, so that one which grew old
 * keeps alive whatever was in all later ones until a full collection.
 */
export class PassingMap<K, V> {
  readonly #held = new Map<K, Held<V>>();

  get size(): number {
    return this.#held.size;
  }

  get(key: K): V | undefined {
    return this.#held.get(key)?.value;
  }

  set(key: K, value: V): void {
    const held = this.#held.get(key);
    if (held) held.value = value;
    else this.#held.set(key, { value });
  }

  delete(key: K): void {
    const held = this.#held.get(key);
    if (!held) return;
    held.value = undefined;
    this.#held.delete(key);
  }

  /** The key that is in the map for the longest time. */
  oldest(): K | undefined {
    const [oldest] = this.#held.keys();
    return oldest;
  }

  clear(): void {
    for (const held of this.#held.values()) held.value = undefined;
    this.#held.clear();
  }
}
