import type { KubeObject } from "../../kube-object.ts";
import { CachedObject } from "../../watch-cache/cached-object.ts";

/** Between the version in which objects are stored and the one that is served. */
export interface ServedConversion {
  /** What was read, in the served version with its defaults. @throws StatusError */
  toServed(objects: readonly CachedObject[]): Promise<CachedObject[]>;
  /** What is to be stored, in the version for that. @throws StatusError */
  toStored(object: KubeObject): Promise<KubeObject>;
}

/** What differs between the versions of a definition. */
export interface ServedConversionParts {
  /** "group/version" of the version that is served. */
  apiVersion: string;
  /** "group/version" of the one that is stored. */
  storedVersion: string;
  convert(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]>;
  /** Prunes what the version does not have and sets its defaults. */
  complete(object: KubeObject): KubeObject;
}

/** Converts each state of an object once, however many ask for it. */
export function servedConversion(parts: ServedConversionParts): ServedConversion {
  const known = new WeakMap<CachedObject, Promise<CachedObject>>();
  const convertAll = async (objects: readonly CachedObject[]): Promise<CachedObject[]> => {
    const values = objects.map((object) => object.copy());
    const converted = await parts.convert(values, parts.apiVersion);
    return converted.map((value, at) => {
      const { key, revision } = objects[at] as CachedObject;
      const bytes = Buffer.from(JSON.stringify(parts.complete(value)));
      return new CachedObject(key, revision, bytes);
    });
  };
  return {
    toServed: async (objects) => {
      const missing = objects.filter((object) => !known.has(object));
      if (missing.length > 0) {
        const all = convertAll(missing);
        for (const [at, object] of missing.entries()) {
          const one = all.then((converted) => converted[at] as CachedObject);
          known.set(object, one);
          // A webhook that failed is asked again by the next reader.
          one.catch(() => known.delete(object));
        }
      }
      return Promise.all(objects.map((object) => known.get(object) as Promise<CachedObject>));
    },
    toStored: async (object) => {
      const [stored] = await parts.convert([object], parts.storedVersion);
      return stored as KubeObject;
    },
  };
}
