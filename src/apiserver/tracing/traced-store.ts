import type { ListOptions, Store, StoreEvent, UpdateWrite } from "../../store/store.ts";
import type { Tracer } from "./tracer.ts";

/** A store whose calls are parts of the requests that make them. */
export function traceStore(store: Store, tracer: Tracer): Store {
  const part = <T>(operation: string, resource: string, work: () => Promise<T>): Promise<T> => {
    const attributes = { "db.operation": operation, resource };
    return tracer.within({ name: `Store ${operation}`, kind: "internal", attributes }, work);
  };
  return {
    revision: () => store.revision(),
    get: (resource, key) => part("get", resource, () => store.get(resource, key)),
    getForUpdate: (resource, key) => part("get", resource, () => store.getForUpdate(resource, key)),
    list: (resource, options?: ListOptions) =>
      part("list", resource, () => store.list(resource, options)),
    create: (resource, key, bytes) =>
      part("create", resource, () => store.create(resource, key, bytes)),
    update: (resource, key, write: UpdateWrite) =>
      part("update", resource, () => store.update(resource, key, write)),
    delete: (resource, key, expectedRevision) =>
      part("delete", resource, () => store.delete(resource, key, expectedRevision)),
    watch: (resource, from, deliver: (events: StoreEvent[]) => void) =>
      store.watch(resource, from, deliver),
    oldestRevision: () => store.oldestRevision(),
    compact: (revision) => store.compact(revision),
    resources: () => store.resources(),
    isStale: (resource, key) => store.isStale(resource, key),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
