import type { Clock } from "../lib/clock.ts";
import type { ListOptions, Store, StoreEvent, UpdateWrite } from "../store/store.ts";
import type { StoreMetrics } from "./store-metrics.ts";

/** A store whose reads are counted; those that the watch cache answers never come here. */
export function measureReads(
  store: Store,
  { metrics, clock }: { metrics: StoreMetrics; clock: Clock },
): Store {
  const timed = <T>(
    operation: "get" | "list",
    resource: string,
    answer: Promise<T>,
  ): Promise<T> => {
    const sinceMs = clock.monotonicMs();
    answer.then(
      () => metrics.read(operation, { resource, durationMs: clock.monotonicMs() - sinceMs }),
      () => {}, // the caller hears of it
    );
    return answer;
  };
  return {
    revision: () => store.revision(),
    get: (resource, key) => timed("get", resource, store.get(resource, key)),
    getForUpdate: (resource, key) => timed("get", resource, store.getForUpdate(resource, key)),
    list: (resource, options?: ListOptions) =>
      timed("list", resource, store.list(resource, options)),
    create: (resource, key, bytes) => store.create(resource, key, bytes),
    update: (resource, key, write: UpdateWrite) => store.update(resource, key, write),
    delete: (resource, key, expectedRevision) => store.delete(resource, key, expectedRevision),
    watch: (resource, from, deliver: (events: StoreEvent[]) => void) =>
      store.watch(resource, from, deliver),
    oldestRevision: () => store.oldestRevision(),
    compact: (revision) => store.compact(revision),
    resources: () => store.resources(),
    isStale: (resource, key) => store.isStale(resource, key),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
