import type { CacheEvent } from "./cache-event.ts";
import type { CachedObject } from "./cached-object.ts";

/** The objects of a resource as of one revision. */
export interface StateView {
  readonly revision: number;
  get(key: string): CachedObject | undefined;
  /** Keys in order, with `prefix` and from `start` on. A snapshot only until the next await. */
  keys(prefix: string, start?: string): readonly string[];
}

/** An earlier state: the present one with `events`, all that happened since, undone. */
export class PastState implements StateView {
  readonly revision: number;
  readonly #present: StateView;
  /** What the changed keys held; `undefined` where there was nothing. */
  readonly #before = new Map<string, CachedObject | undefined>();
  readonly #gone: readonly string[];

  constructor(present: StateView, of: { revision: number; events: readonly CacheEvent[] }) {
    this.#present = present;
    this.revision = of.revision;
    for (const { key, previous } of of.events) {
      if (!this.#before.has(key)) this.#before.set(key, previous);
    }
    this.#gone = [...this.#before.keys()].filter(
      (key) => this.#before.get(key) && !present.get(key),
    );
  }

  get(key: string): CachedObject | undefined {
    return this.#before.has(key) ? this.#before.get(key) : this.#present.get(key);
  }

  keys(prefix: string, start = ""): readonly string[] {
    const present = this.#present.keys(prefix, start);
    const gone = this.#gone.filter((key) => key.startsWith(prefix) && key >= start);
    const kept = this.#before.size > 0 ? present.filter((key) => this.get(key)) : present;
    return gone.length > 0 ? [...kept, ...gone].sort() : kept;
  }
}
