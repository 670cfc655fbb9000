import { invalid, StatusError } from "../../api/errors.ts";
import { applySchemaDefaults, hasDefaults } from "../../api/custom-resource/schema-defaults.ts";
import { createObjectValidator } from "../../api/custom-resource/object-validation.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from "../../api/generated/types/apiextensions-v1.ts";
import { apiVersionOf, type Resource, storageNameOf } from "../../api/resource.ts";
import { createDecoder } from "../../api/schema/decode.ts";
import type { SchemaModel } from "../../api/schema/model.ts";
import { validateObject } from "../../api/validation/validate-object.ts";
import {
  decodeCanonical,
  encodeCanonical,
  metadataOffset,
  spliceResourceVersion,
} from "../../format/json-canonical.ts";
import type { Environment } from "../../lib/cel/environment.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type { StartCache } from "../built-in-resources.ts";
import type { Codec } from "../codec/codec.ts";
import { schemaCodec } from "../codec/schema-codec.ts";
import type { KubeObject } from "../kube-object.ts";
import type { ServedResource } from "../resource-registry.ts";
import { attributesOf } from "../rest/attributes-of.ts";
import { customStrategy } from "../strategy/built-in-strategies.ts";
import { type ServedConversion, servedConversion } from "./conversion/served-conversion.ts";
import { type ConversionParts, convertByWebhook } from "./conversion/webhook-conversion.ts";
import { printerColumns } from "./printer-columns.ts";
import { scalePathsOf, scaleProblems } from "./scale-paths.ts";
import { structuralModel } from "./structural-model.ts";

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

/** Stored bytes with the defaults that the schema has now; most objects have them already. */
function spliceDefaults(
  splice: ServedResource["splice"],
  schema: JSONSchemaProps,
): ServedResource["splice"] {
  return (bytes, revision, allocate) => {
    const object = decodeCanonical(bytes);
    const filled = applySchemaDefaults(schema, object);
    return splice(filled ? encodeCanonical(object as KubeObject) : bytes, revision, allocate);
  };
}

/** Whether objects are shown as before, so that what is cached of them stays right. */
function showsTheSame(
  before: ServedResource,
  now: {
    schema: JSONSchemaProps | undefined;
    selectable: readonly string[];
    isConverted: boolean;
  },
): boolean {
  if ((before.conversion !== undefined) !== now.isConverted) return false;
  if (!deepEqual(before.selectable ?? [], now.selectable)) return false;
  const was = before.schema as JSONSchemaProps | undefined;
  const defaulted = [was, now.schema].some((schema) => schema && hasDefaults(schema));
  return !defaulted || deepEqual(was, now.schema);
}

/** Stored bytes in the version that is served: without a webhook only the name differs. */
function spliceAs(resource: Resource): ServedResource["splice"] {
  const head = `{"kind":${JSON.stringify(resource.kind)},"apiVersion":"${apiVersionOf(resource)}"`;
  const wanted = Buffer.from(`${head},"metadata":{`);
  return (bytes, revision, allocate) => {
    const offset = metadataOffset(bytes);
    const same = offset === wanted.byteLength && wanted.equals(bytes.subarray(0, offset));
    const current = same ? bytes : Buffer.concat([wanted, bytes.subarray(offset)]);
    return spliceResourceVersion(current, revision, allocate);
  };
}

/** `apiVersion` of what is stored; each definition has one. */
function storedVersionOf({ spec }: CustomResourceDefinition): string {
  const stored = spec.versions.find(({ storage }) => storage) ?? spec.versions[0];
  return `${spec.group}/${stored?.name}`;
}

/** Between the version that is stored and this one, by the webhook of the definition. */
function conversionOf(
  definition: CustomResourceDefinition,
  of: { resource: Resource; codec: Codec; webhooks: ConversionParts },
): ServedConversion {
  const { resource, codec, webhooks } = of;
  const conversion = definition.spec.conversion ?? { strategy: "None" };
  return servedConversion({
    apiVersion: apiVersionOf(resource),
    storedVersion: storedVersionOf(definition),
    convert: (objects, apiVersion) =>
      convertByWebhook(objects, { conversion, apiVersion }, webhooks),
    complete: (value) =>
      codec.decode(
        { kind: "value", value, contentType: "" },
        { fieldValidation: "Ignore", warn: () => {} },
      ),
  });
}

function deprecationOf(
  resource: Resource,
  { deprecationWarning }: CustomResourceDefinitionVersion,
): string {
  return deprecationWarning ?? `${apiVersionOf(resource)} ${resource.kind} is deprecated`;
}

/** Objects of a definition that is going would only delay its end. */
function terminating(): StatusError {
  const why = "create not allowed while custom resource definition is terminating";
  return new StatusError("MethodNotAllowed", why);
}

/** Everything to serve one version of a custom resource. */
export async function serveVersion(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  parts: {
    base: SchemaModel;
    startCache: StartCache;
    /** What rules are compiled in. */
    expressions: () => Environment;
    /** Calls conversion webhooks. */
    webhooks: ConversionParts;
    before?: ServedResource | undefined;
  },
): Promise<ServedResource> {
  const resource = resourceOf(definition, version);
  const { group, kind } = resource;
  const schema = version.schema?.openAPIV3Schema;
  const name = `${group}/${version.name}.${kind}`;
  const { model, struct } = structuralModel(parts.base, { name, schema });
  const selectable = (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.slice(1));
  const attributes = attributesOf(resource, selectable);
  const storage = storageNameOf(resource);
  const renamed = spliceAs(resource);
  const filled = schema && hasDefaults(schema) ? spliceDefaults(renamed, schema) : renamed;
  const isConverted = definition.spec.conversion?.strategy === "Webhook";
  const splice = isConverted ? spliceResourceVersion : filled;
  const setDefaults = (object: KubeObject) => {
    if (schema) applySchemaDefaults(schema, object);
  };
  const scale = scalePathsOf(version);
  const validator = schema && createObjectValidator(schema, parts.expressions);
  const check = (object: KubeObject, old?: KubeObject, subresource?: string) => {
    const causes = validateObject(resource, object, { old, subresource });
    if (validator) causes.push(...validator(object, old));
    if (scale) causes.push(...scaleProblems(scale, object, subresource));
    if (causes.length > 0) throw invalid({ group, kind }, object.metadata.name ?? "", causes);
  };
  const { before } = parts;
  const now = { schema, selectable, isConverted };
  const kept = before && showsTheSame(before, now) ? before.cache : undefined;
  const codec = schemaCodec({
    resource,
    custom: true,
    decoder: createDecoder(model),
    struct: name,
    setDefaults,
  });
  return {
    resource,
    apiVersion: apiVersionOf(resource),
    storage,
    storedAs: storedVersionOf(definition),
    strategy: customStrategy(),
    codec,
    ...(version.deprecated ? { deprecation: deprecationOf(resource, version) } : {}),
    ...(isConverted
      ? { conversion: conversionOf(definition, { resource, codec, webhooks: parts.webhooks }) }
      : {}),
    splice,
    cache: kept ?? (await parts.startCache({ storage, splice, attributesOf: attributes })),
    attributesOf: attributes,
    selectable,
    hasStatus: version.subresources?.status !== undefined,
    custom: true,
    model,
    struct,
    ...(schema ? { schema: schema as Record<string, unknown> } : {}),
    ...(scale ? { scale } : {}),
    table: printerColumns(version.additionalPrinterColumns),
    validateCreate: (object) => {
      if (definition.metadata?.deletionTimestamp) throw terminating();
      check(object);
    },
    validateUpdate: check,
    invalid: (objectName, causes) => invalid({ group, kind }, objectName, causes),
  };
}
