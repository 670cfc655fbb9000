import type { Backend } from "../backend.ts";
import { createEngine } from "../engine.ts";
import type { Store } from "../store.ts";
import { VersionTable } from "./version-table.ts";

/** A store that lives and dies with the process: "durable" means "in memory". For tests. */
export function createMemoryStore(): Store {
  const table = new VersionTable();
  const state = { revision: 0, compacted: 0 };
  const backend: Backend = {
    state,
    find: (resource, key, at) => table.find(resource, key, at),
    exactly: (resource, key, revision) => table.exactly(resource, key, revision),
    scan: (resource, range) => table.scan(resource, range),
    history: (resource, range) => table.history(resource, range),
    commit: async (versions) => table.add(versions),
    compact: async (revision) => table.compact(revision),
    resourceNames: () => table.resourceNames(),
    close: async () => {},
  };
  return createEngine(backend);
}
