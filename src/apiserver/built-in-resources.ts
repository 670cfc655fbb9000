import { BUILT_IN_RESOURCES } from "../api/generated/resources.ts";
import { invalid } from "../api/errors.ts";
import { apiVersionOf, type Resource, storageNameOf } from "../api/resource.ts";
import type { SchemaModel, StructType } from "../api/schema/model.ts";
import { defaulterOf } from "../api/schema/defaults.ts";
import { createDecoder } from "../api/schema/decode.ts";
import type { StatusCause } from "../api/status.ts";
import { validatorOf } from "../api/validation/validate-object.ts";
import { spliceResourceVersion } from "../format/json-canonical.ts";
import { schemaCodec } from "./codec/schema-codec.ts";
import type { KubeObject } from "./kube-object.ts";
import type { ServedResource } from "./resource-registry.ts";
import { attributesOf } from "./rest/attributes-of.ts";
import { CommonSpecs } from "./rest/common-specs.ts";
import { builtInStrategy } from "./strategy/built-in-strategies.ts";
import { encodeThrough, spliceThrough, viewOf } from "./views/views.ts";
import type { AttributesOf } from "./watch-cache/cached-object.ts";
import type { WatchCache } from "./watch-cache/watch-cache.ts";

/** What starts the cache of a resource. */
export type StartCache = (of: {
  storage: string;
  splice: ServedResource["splice"];
  attributesOf: AttributesOf;
}) => Promise<WatchCache>;

/** Every built-in resource, its cache filled from the store. */
export async function serveBuiltIns(
  model: SchemaModel,
  startCache: StartCache,
): Promise<ServedResource[]> {
  const decoder = createDecoder(model);
  return Promise.all(
    BUILT_IN_RESOURCES.map(async (resource): Promise<ServedResource> => {
      const { group, version, kind } = resource;
      const struct = model.root({ group, version, kind });
      if (!struct) throw new RangeError(`Cannot serve ${kind}: the model does not have it`);
      const view = viewOf(resource);
      const storage = view?.storage ?? storageNameOf(resource);
      const splice = view ? spliceThrough(view) : spliceResourceVersion;
      const attributes = attributesOf(resource);
      const parts = partsOf(struct);
      const fillIn = defaulterOf({ group, version, kind });
      const setDefaults = (object: KubeObject) => {
        for (const name of parts) object[name] ??= {};
        fillIn?.(object);
      };
      const cache = await startCache({
        storage,
        splice,
        attributesOf: attributes,
      });
      const strategy = builtInStrategy(resource);
      const validate = validatorOf(resource);
      const codec = schemaCodec({ resource, decoder, struct: struct.name, setDefaults });
      return {
        resource,
        apiVersion: apiVersionOf(resource),
        storage,
        storedAs: view?.storedAs ?? apiVersionOf(resource),
        strategy,
        codec: view ? encodeThrough(view, codec) : codec,
        splice,
        cache,
        attributesOf: attributes,
        commonSpecs: strategy.commonSpec ? new CommonSpecs() : undefined,
        selectable: [],
        hasStatus: resource.subresources?.includes("status") ?? false,
        custom: false,
        keepsParts: !strategy.prepareUpdate && !fillIn,
        model,
        struct,
        validateCreate: (object, common) => refuse(resource, object, validate(object, { common })),
        validateUpdate: (object, old, subresource) =>
          refuse(resource, object, validate(object, { old, subresource })),
        invalid: (name, causes) => invalid({ group, kind }, name, causes),
      };
    }),
  );
}

/** Parts that every object of the kind has, whether or not something is said in them. */
function partsOf({ fields }: StructType): string[] {
  return [...fields.values()]
    .filter(({ name, type, pointer }) => type.kind === "struct" && !pointer && name !== "status")
    .map(({ name }) => name);
}

function refuse(resource: Resource, { metadata }: KubeObject, causes: StatusCause[]): void {
  if (causes.length > 0) throw invalid(resource, metadata.name ?? "", causes);
}
