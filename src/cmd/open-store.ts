import type { MetricSource } from "../apiserver/metrics/metrics-pages.ts";
import { openLmdbStore } from "../store/lmdb/lmdb-store.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import type { Store } from "../store/store.ts";
import { systemClock } from "../sys/clock.ts";
import type { MemoryRelief } from "../sys/memory-relief.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { OpenEncryption } from "./encryption.ts";
import type { UpOptions } from "./options.ts";
import { storeMetrics } from "./process-metrics.ts";
import { measureReads } from "./measured-store.ts";
import { StoreMetrics } from "./store-metrics.ts";

/** In one commit, as of a removed collection, they leave garbage at once. */
const MANY_WRITES = 256;

/** Where a store is, how its values are encrypted there, and who hears of what it writes. */
interface StorePlace {
  directory: DataDirectory;
  encryption: OpenEncryption | undefined;
  relief: MemoryRelief;
}

/** A store and what `/metrics` tells of it. */
export interface OpenStore extends AsyncDisposable {
  store: Store;
  metrics: MetricSource[];
}

/** The store that the settings ask for. What lives in memory alone is never encrypted. */
export async function openStore(
  { store: kind }: Pick<UpOptions, "store">,
  { directory, encryption, relief }: StorePlace,
): Promise<OpenStore> {
  const metrics: MetricSource[] = encryption ? [() => encryption.metrics()] : [];
  if (kind === "memory") return ownedStore(createMemoryStore(), metrics);
  const requests = new StoreMetrics();
  const store = await openLmdbStore({
    directory: directory.store,
    clock: systemClock,
    encryption,
    committed: (versions, durationMs) => {
      requests.committed(versions, durationMs);
      if (versions.length >= MANY_WRITES) relief.check();
    },
    moved: () => relief.check(),
  });
  const own = () => [...storeMetrics(directory.store), ...requests.families()];
  const measured = measureReads(store, { metrics: requests, clock: systemClock });
  return ownedStore(measured, [...metrics, own]);
}

function ownedStore(store: Store, metrics: MetricSource[]): OpenStore {
  return { store, metrics, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}
