import type { ObjectReader } from "./contract.ts";
import type { Resource } from "../api/resource.ts";
import type { ResourceRegistry } from "./resource-registry.ts";
import type { WatchCache } from "./watch-cache/watch-cache.ts";

/** Longer lists are made anew each time, lest they keep a large resource parsed. */
const KEPT_LIST_MAX = 256;
const KEPT_LISTS_MAX = 1_024;

interface KeptList {
  generation: number;
  objects: readonly unknown[];
}

interface WholeList extends KeptList {
  cache: WatchCache;
  /** Generation of the registry that named the cache. */
  served: number;
}

/**
 * Reads the caches of the server; what it hands out is shared and frozen. A short list stays the
 * same array until its resource changes: authorization and admission ask for the same few again
 * and again.
 */
export function createObjectReader(registry: ResourceRegistry): ObjectReader {
  const kept = new WeakMap<WatchCache, Map<string, KeptList>>();
  /** The last whole list of a resource, by what every request asks for. */
  const whole = new WeakMap<Resource, WholeList>();
  return {
    get: <T>(resource: Resource<T>, at: { namespace?: string; name: string }) => {
      const key = at.namespace ? `${at.namespace}/${at.name}` : at.name;
      return registry.of(resource)?.cache.get(key)?.object() as T | undefined;
    },
    list: <T>(resource: Resource<T>, namespace = "") => {
      const last = namespace === "" ? whole.get(resource) : undefined;
      if (last?.served === registry.generation && last.cache.generation === last.generation) {
        return last.objects as readonly T[];
      }
      const cache = registry.of(resource)?.cache;
      if (!cache) return [];
      let lists = kept.get(cache);
      if (!lists) kept.set(cache, (lists = new Map()));
      const { generation } = cache;
      const known = lists.get(namespace);
      if (known?.generation === generation) {
        if (namespace === "") whole.set(resource, { ...known, cache, served: registry.generation });
        return known.objects as readonly T[];
      }
      const keys = cache.keys(namespace ? `${namespace}/` : "");
      const objects = keys.flatMap((key) => cache.get(key)?.object() ?? []);
      if (lists.size >= KEPT_LISTS_MAX) lists.clear();
      if (objects.length <= KEPT_LIST_MAX) lists.set(namespace, { generation, objects });
      else lists.delete(namespace);
      return objects as unknown as readonly T[];
    },
  };
}
