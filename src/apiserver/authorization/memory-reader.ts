import { type Resource, storageNameOf } from "../../api/resource.ts";
import type { ObjectReader } from "../contract.ts";

interface Named {
  metadata?: { name?: string; namespace?: string };
}

/** An `ObjectReader` over objects in memory, for tests and simulations. */
export interface MemoryReader extends ObjectReader {
  put<T>(resource: Resource<T>, object: T): void;
  remove(resource: Resource, at: { namespace?: string; name: string }): void;
}

/** Starts empty. */
export function memoryReader(): MemoryReader {
  const kinds = new Map<string, Map<string, unknown>>();
  const objectsOf = (resource: Resource) => {
    const name = storageNameOf(resource);
    let objects = kinds.get(name);
    if (!objects) kinds.set(name, (objects = new Map()));
    return objects;
  };
  const keyOf = (namespace: string | undefined, name: string) => `${namespace ?? ""}/${name}`;
  return {
    put: (resource, object) => {
      const { namespace, name = "" } = (object as Named).metadata ?? {};
      objectsOf(resource).set(keyOf(namespace, name), object);
    },
    remove: (resource, { namespace, name }) => {
      objectsOf(resource).delete(keyOf(namespace, name));
    },
    get: <T>(resource: Resource<T>, at: { namespace?: string; name: string }) =>
      objectsOf(resource).get(keyOf(resource.namespaced ? at.namespace : "", at.name)) as
        | T
        | undefined,
    list: <T>(resource: Resource<T>, namespace?: string) =>
      [...objectsOf(resource)]
        .filter(([key]) => !namespace || key.startsWith(`${namespace}/`))
        .map(([, object]) => object as T),
  };
}
