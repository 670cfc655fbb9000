import type { Clock } from "../lib/clock.ts";
import { passOn } from "../store/passing-on.ts";
import type { Store } from "../store/store.ts";
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
    ...passOn(store),
    get: (resource, key) => timed("get", resource, store.get(resource, key)),
    getForUpdate: (resource, key) => timed("get", resource, store.getForUpdate(resource, key)),
    list: (resource, options) => timed("list", resource, store.list(resource, options)),
  };
}
