import { passOn } from "../../store/passing-on.ts";
import type { Store } from "../../store/store.ts";
import type { Tracer } from "./tracer.ts";

/** A store whose calls are parts of the requests that make them. */
export function traceStore(store: Store, tracer: Tracer): Store {
  const part = <T>(operation: string, resource: string, work: () => Promise<T>): Promise<T> => {
    const attributes = { "db.operation": operation, resource };
    return tracer.within({ name: `Store ${operation}`, kind: "internal", attributes }, work);
  };
  return {
    ...passOn(store),
    get: (resource, key) => part("get", resource, () => store.get(resource, key)),
    getForUpdate: (resource, key) => part("get", resource, () => store.getForUpdate(resource, key)),
    list: (resource, options) => part("list", resource, () => store.list(resource, options)),
    create: (resource, key, bytes) =>
      part("create", resource, () => store.create(resource, key, bytes)),
    update: (resource, key, write) =>
      part("update", resource, () => store.update(resource, key, write)),
    delete: (resource, key, expectedRevision) =>
      part("delete", resource, () => store.delete(resource, key, expectedRevision)),
  };
}
