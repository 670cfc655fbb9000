import type { StoreEvent } from "./store.ts";

type Deliver = (events: StoreEvent[]) => void;

/** The live watches of a store. A watch that throws is a bug: it must not stop the others. */
export class WatchHub {
  readonly #byResource = new Map<string, Set<Deliver>>();

  has(resource: string): boolean {
    return this.#byResource.has(resource);
  }

  add(resource: string, deliver: Deliver): Disposable {
    // A wrapper of its own, so that the same function can watch twice.
    const watch: Deliver = (events) => deliver(events);
    const watches = this.#byResource.get(resource) ?? new Set();
    this.#byResource.set(resource, watches.add(watch));
    return {
      [Symbol.dispose]: () => {
        watches.delete(watch);
        if (watches.size === 0 && this.#byResource.get(resource) === watches) {
          this.#byResource.delete(resource);
        }
      },
    };
  }

  deliver(resource: string, events: StoreEvent[]): void {
    for (const watch of this.#byResource.get(resource) ?? []) {
      try {
        watch(events);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#byResource.clear();
  }
}
