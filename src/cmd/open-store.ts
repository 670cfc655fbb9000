import type { MetricSource } from "../apiserver/metrics/metrics-pages.ts";
import { openLmdbStore } from "../store/lmdb/lmdb-store.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import type { Store } from "../store/store.ts";
import { systemClock } from "../sys/clock.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { OpenEncryption } from "./encryption.ts";
import type { UpOptions } from "./options.ts";
import { storeMetrics } from "./process-metrics.ts";

/** Where a store is, and how its values are encrypted there. */
interface StorePlace {
  directory: DataDirectory;
  encryption: OpenEncryption | undefined;
}

/** The store that the settings ask for. What lives in memory alone is never encrypted. */
export async function openStore(
  { store }: Pick<UpOptions, "store">,
  { directory, encryption }: StorePlace,
): Promise<Store> {
  if (store === "memory") return createMemoryStore();
  return await openLmdbStore({ directory: directory.store, clock: systemClock, encryption });
}

/** What `/metrics` tells of it. */
export function storeFigures(
  { store }: Pick<UpOptions, "store">,
  { directory, encryption }: StorePlace,
): MetricSource[] {
  const sources: MetricSource[] = encryption ? [() => encryption.metrics()] : [];
  return store === "memory" ? sources : [...sources, () => storeMetrics(directory.store)];
}
