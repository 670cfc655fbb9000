import type { Store } from "./store.ts";

/** The calls of a store, each passed on: what a store that adds to some of them begins with. */
export function passOn(store: Store): Store {
  return {
    revision: () => store.revision(),
    get: (resource, key) => store.get(resource, key),
    getForUpdate: (resource, key) => store.getForUpdate(resource, key),
    list: (resource, options) => store.list(resource, options),
    create: (resource, key, bytes) => store.create(resource, key, bytes),
    update: (resource, key, write) => store.update(resource, key, write),
    delete: (resource, key, expectedRevision) => store.delete(resource, key, expectedRevision),
    watch: (resource, from, deliver) => store.watch(resource, from, deliver),
    oldestRevision: () => store.oldestRevision(),
    compact: (revision) => store.compact(revision),
    resources: () => store.resources(),
    isStale: (resource, key) => store.isStale(resource, key),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
