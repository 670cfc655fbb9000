import { createDecoder } from "../../api/schema/decode.ts";
import type { SchemaModel } from "../../api/schema/model.ts";
import {
  deprecationOf,
  LEGACY_VERSIONS,
  type LegacyVersion,
  legacyResourceOf,
} from "../../api/legacy-versions.ts";
import { apiVersionOf } from "../../api/resource.ts";
import { schemaCodec } from "../codec/schema-codec.ts";
import { servedConversion } from "../custom-resource/conversion/served-conversion.ts";
import type { KubeObject } from "../kube-object.ts";
import type { ResourceRegistry, ServedResource } from "../resource-registry.ts";
import { LEGACY_SHAPES, SAME_SHAPE } from "./legacy-shapes.ts";

/**
 * The removed versions that older clients ask for. They read the caches of the current versions
 * and convert what they are asked for, so that nobody pays for them who has no such clients.
 */
export function legacyResources(model: SchemaModel, registry: ResourceRegistry): ServedResource[] {
  return LEGACY_VERSIONS.map((legacy) => {
    const current = registry.of(legacy.current);
    if (!current) throw new RangeError(`Cannot serve an older ${legacy.current.kind} only`);
    return serveLegacy(model, legacy, current);
  });
}

function serveLegacy(
  model: SchemaModel,
  legacy: LegacyVersion,
  current: ServedResource,
): ServedResource {
  const resource = legacyResourceOf(legacy);
  const { group, version, kind, plural } = resource;
  const struct = model.root({ group, version, kind });
  if (!struct) throw new RangeError(`Cannot serve ${version} ${kind}: the model does not have it`);
  const shape = LEGACY_SHAPES[`${group}/${version}/${plural}`] ?? SAME_SHAPE;
  const apiVersion = apiVersionOf(resource);
  const toStored = (object: KubeObject): KubeObject => ({
    ...shape.toCurrent(object),
    apiVersion: current.apiVersion,
  });
  const toServed = (object: KubeObject): KubeObject => ({ ...shape.toLegacy(object), apiVersion });
  const { setDefaults } = current.codec;
  const codec = schemaCodec({
    resource,
    decoder: createDecoder(model),
    struct: struct.name,
    setDefaults,
  });
  return {
    ...current,
    resource,
    apiVersion,
    struct,
    codec: { ...codec, encode: current.codec.encode },
    deprecation: deprecationOf(legacy),
    conversion: servedConversion({
      apiVersion,
      storedVersion: current.apiVersion,
      convert: async (objects, wanted) => objects.map(wanted === apiVersion ? toServed : toStored),
      complete: (object) => object,
    }),
    validateCreate: (object) => current.validateCreate(toStored(object)),
    validateUpdate: (object, old, subresource) =>
      current.validateUpdate(toStored(object), toStored(old), subresource),
  };
}
