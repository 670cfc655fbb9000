import { PassingMap } from "../lib/passing-map.ts";

/** Where a value is stored. */
export interface Place {
  resource: string;
  key: string;
}

/** What is on its way for places, a moment each. */
export class WriteTable<T> {
  /** By resource and key: a name of both would have to be made for every write. */
  readonly #resources = new Map<string, PassingMap<string, T>>();

  get({ resource, key }: Place): T | undefined {
    return this.#resources.get(resource)?.get(key);
  }

  set({ resource, key }: Place, value: T): void {
    let keys = this.#resources.get(resource);
    if (!keys) {
      keys = new PassingMap();
      this.#resources.set(resource, keys);
    }
    keys.set(key, value);
  }

  delete({ resource, key }: Place): void {
    this.#resources.get(resource)?.delete(key);
  }

  clear(): void {
    this.#resources.clear();
  }
}
