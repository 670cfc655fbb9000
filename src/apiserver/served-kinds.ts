import { StatusError } from "../api/errors.ts";
import type { Resource } from "../api/resource.ts";
import { decodeCanonical } from "../format/json-canonical.ts";
import type { ServedKinds } from "./contract.ts";
import { CachedObject } from "./watch-cache/cached-object.ts";
import type { KubeObject } from "./kube-object.ts";
import type { ResourceRegistry, ServedResource } from "./resource-registry.ts";

const NONE: readonly Resource[] = [];

/** The kinds of a registry, as plugins of admission see them. */
export function servedKinds(registry: ResourceRegistry): ServedKinds {
  const kept = new Map<Resource, readonly Resource[]>();
  let generation = -1;
  const find = (resource: Resource): ServedResource => {
    const served = registry.of(resource);
    if (served) return served;
    throw new StatusError("InternalError", `unable to convert to ${resource.kind}: unknown kind`);
  };
  return {
    equivalentsOf: (resource) => {
      if (generation !== registry.generation) kept.clear();
      generation = registry.generation;
      let others = kept.get(resource);
      if (!others) {
        const storage = registry.of(resource)?.storage;
        const same = registry
          .all()
          .filter((served) => served.storage === storage && served.resource !== resource)
          .map((served) => served.resource);
        others = same.length > 0 ? same : NONE;
        kept.set(resource, others);
      }
      return others;
    },
    convert: async (object, { from, to }) => {
      // What is stored is the same for all of them: every version can be read out of it.
      const [source, target] = [find(from), find(to)];
      const state = object as KubeObject;
      const stored = source.conversion ? await source.conversion.toStored(state) : state;
      let bytes = target.splice(source.codec.encode(stored), 0);
      if (target.conversion) {
        const [shown] = await target.conversion.toServed([new CachedObject("", 0, bytes)]);
        bytes = shown?.bytes ?? bytes;
      }
      const converted = decodeCanonical(bytes) as KubeObject;
      const { resourceVersion } = (object as KubeObject).metadata;
      if (resourceVersion === undefined) delete converted.metadata.resourceVersion;
      else converted.metadata.resourceVersion = resourceVersion;
      return converted;
    },
    decode: (resource, value) =>
      find(resource).codec.decode(
        { kind: "value", value, contentType: "" },
        { fieldValidation: "Ignore", warn: () => {} },
      ),
  };
}
