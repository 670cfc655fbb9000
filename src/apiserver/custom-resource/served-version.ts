import { invalid } from "../../api/errors.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from "../../api/generated/types/apiextensions-v1.ts";
import { apiVersionOf, type Resource, storageNameOf } from "../../api/resource.ts";
import { createDecoder } from "../../api/schema/decode.ts";
import type { SchemaModel } from "../../api/schema/model.ts";
import { validateObject } from "../../api/validation/validate-object.ts";
import { metadataOffset, spliceResourceVersion } from "../../format/json-canonical.ts";
import type { StartCache } from "../built-in-resources.ts";
import { schemaCodec } from "../codec/schema-codec.ts";
import type { KubeObject } from "../kube-object.ts";
import type { ServedResource } from "../resource-registry.ts";
import { attributesOf } from "../rest/attributes-of.ts";
import { customStrategy } from "../strategy/built-in-strategies.ts";
import { printerColumns } from "./printer-columns.ts";
import { applySchemaDefaults, structuralModel } from "./structural-model.ts";
import { validateValue } from "./value-validation.ts";

/** The resource that one version of a definition describes. */
export function resourceOf(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): Resource {
  const { group, names, scope } = definition.spec;
  const { status, scale } = version.subresources ?? {};
  return {
    group,
    version: version.name,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    kind: names.kind,
    namespaced: scope === "Namespaced",
    ...(names.shortNames ? { shortNames: names.shortNames } : {}),
    ...(names.categories ? { categories: names.categories } : {}),
    subresources: [...(status ? ["status"] : []), ...(scale ? ["scale"] : [])],
  };
}

/** Stored bytes in the version that is served: without a webhook only the name differs. */
function spliceAs(resource: Resource): ServedResource["splice"] {
  const head = `{"kind":${JSON.stringify(resource.kind)},"apiVersion":"${apiVersionOf(resource)}"`;
  const wanted = Buffer.from(`${head},"metadata":{`);
  return (bytes, revision) => {
    const offset = metadataOffset(bytes);
    const same = offset === wanted.byteLength && wanted.equals(bytes.subarray(0, offset));
    const current = same ? bytes : Buffer.concat([wanted, bytes.subarray(offset)]);
    return spliceResourceVersion(current, revision);
  };
}

/** Everything to serve one version of a custom resource. */
export async function serveVersion(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  parts: { base: SchemaModel; startCache: StartCache; cache?: ServedResource["cache"] | undefined },
): Promise<ServedResource> {
  const resource = resourceOf(definition, version);
  const { group, kind } = resource;
  const schema = version.schema?.openAPIV3Schema;
  const name = `${group}/${version.name}.${kind}`;
  const { model, struct } = structuralModel(parts.base, { name, schema });
  const selectable = (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.slice(1));
  const attributes = attributesOf(resource, selectable);
  const storage = storageNameOf(resource);
  const splice = spliceAs(resource);
  const setDefaults = (object: KubeObject) => {
    if (schema) applySchemaDefaults(schema, object);
  };
  const check = (object: KubeObject, old?: KubeObject, subresource?: string) => {
    const causes = validateObject(resource, object, { old, subresource });
    if (schema) causes.push(...validateValue(schema, object, ""));
    if (causes.length > 0) throw invalid({ group, kind }, object.metadata.name ?? "", causes);
  };
  const startOwn = () => parts.startCache({ storage, splice, attributesOf: attributes });
  return {
    resource,
    apiVersion: apiVersionOf(resource),
    storage,
    strategy: customStrategy(),
    codec: schemaCodec({ resource, decoder: createDecoder(model), struct: name, setDefaults }),
    splice,
    cache: parts.cache ?? (await startOwn()),
    attributesOf: attributes,
    selectable,
    hasStatus: version.subresources?.status !== undefined,
    custom: true,
    model,
    struct,
    ...(schema ? { schema: schema as Record<string, unknown> } : {}),
    table: printerColumns(version.additionalPrinterColumns),
    validateCreate: (object) => check(object),
    validateUpdate: check,
    invalid: (objectName, causes) => invalid({ group, kind }, objectName, causes),
  };
}
