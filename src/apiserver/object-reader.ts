import type { Resource } from "../api/resource.ts";
import type { ObjectReader } from "./contract.ts";
import type { ResourceRegistry } from "./resource-registry.ts";

/** Reads the caches of the server; what it hands out is shared and frozen. */
export function createObjectReader(registry: ResourceRegistry): ObjectReader {
  return {
    get: <T>(resource: Resource<T>, at: { namespace?: string; name: string }) => {
      const key = at.namespace ? `${at.namespace}/${at.name}` : at.name;
      return registry.of(resource)?.cache.get(key)?.object() as T | undefined;
    },
    list: <T>(resource: Resource<T>, namespace?: string) => {
      const cache = registry.of(resource)?.cache;
      if (!cache) return [];
      const keys = cache.keys(namespace ? `${namespace}/` : "");
      return keys.flatMap((key) => cache.get(key)?.object() ?? []) as unknown as T[];
    },
  };
}
