import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import type { FieldErrors } from "../validation/field-errors.ts";
import { goStrings } from "../validation/go-text.ts";
import { additionalOf, itemsOf } from "./schema-parts.ts";

/** Where a schema stands, as far as rules care. */
export interface SchemaPlace {
  isRoot: boolean;
  /** Below `metadata` of the object or of an embedded one. */
  inMeta: boolean;
  /** Why defaults may not stand here. */
  noDefaults: string | undefined;
  /** The nearest schema around this one whose values cannot be told apart between two states. */
  uncorrelatable: string | undefined;
  /** How many values an object may have here; undefined where nothing around it bounds them. */
  valuesMax: number | undefined;
}

/** Called for every schema of the tree, after its own checks. */
export type SchemaVisit = (field: string, schema: JSONSchemaProps, place: SchemaPlace) => void;

const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
const META_FIELDS: ReadonlySet<string> = new Set(["metadata", "kind", "apiVersion"]);

/** What OpenAPI allows and Kubernetes does not. */
const UNSUPPORTED: readonly (readonly [keyof JSONSchemaProps, string])[] = [
  ["id", "id is not supported"],
  ["additionalItems", "additionalItems is not supported"],
  ["patternProperties", "patternProperties is not supported"],
  ["definitions", "definitions is not supported"],
  ["dependencies", "dependencies is not supported"],
  ["$ref", "$ref is not supported"],
];

/** Checks a schema and all below it, beyond being structural. */
export function validateSchema(
  errors: FieldErrors,
  field: string,
  of: { schema: JSONSchemaProps; place: SchemaPlace; visit: SchemaVisit },
): void {
  const { schema, place, visit } = of;
  validateKeywords(errors, field, { schema, place });
  validateListAndMap(errors, field, schema);
  const each = innerValuesMax(schema);
  const { valuesMax: outer } = place;
  const valuesMax = each === undefined || outer === undefined ? undefined : each * outer;
  const below = (name: string, inner: JSONSchemaProps, more: Partial<SchemaPlace> = {}) =>
    validateSchema(errors, `${field}.${name}`, {
      schema: inner,
      place: { ...place, isRoot: false, valuesMax, ...more },
      visit,
    });
  const additional = additionalOf(schema);
  if (additional) {
    const noDefaults = place.inMeta
      ? "inside additionalProperties applying to object metadata"
      : place.noDefaults;
    below("additionalProperties", additional, { noDefaults });
  }
  const isResource = place.isRoot || schema["x-kubernetes-embedded-resource"] === true;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const meta = isResource && META_FIELDS.has(name);
    const noDefaults = meta && place.isRoot ? `in top-level ${name}` : place.noDefaults;
    below(`properties[${name}]`, property, { inMeta: place.inMeta || meta, noDefaults });
  }
  for (const [name, inner] of nestedOf(schema)) below(name, inner);
  const items = itemsOf(schema);
  if (items) {
    const lasting = schema["x-kubernetes-list-type"] === "map";
    below("items", items, {
      uncorrelatable: place.uncorrelatable ?? (lasting ? undefined : field),
    });
  }
  visit(field, schema, place);
}

/** How many values a schema may hold of each schema directly below it. */
function innerValuesMax(schema: JSONSchemaProps): number | undefined {
  const isMap = schema.type === "object" && schema.additionalProperties !== undefined;
  if (isMap) return atLeastNone(schema.maxProperties);
  return schema.type === "array" ? atLeastNone(schema.maxItems) : 1;
}

function atLeastNone(max: number | undefined): number | undefined {
  return max === undefined ? undefined : Math.max(0, Number(max));
}

function nestedOf({
  not,
  allOf = [],
  oneOf = [],
  anyOf = [],
}: JSONSchemaProps): [string, JSONSchemaProps][] {
  const lists = { allOf, oneOf, anyOf };
  const nested = Object.entries(lists).flatMap(([name, list]) => {
    return list.map((each, at): [string, JSONSchemaProps] => [`${name}[${at}]`, each]);
  });
  return not ? [["not", not], ...nested] : nested;
}

/** Empty text, and empty lists of schemas by name, say nothing. */
function isSaid(schema: JSONSchemaProps, name: keyof JSONSchemaProps): boolean {
  const value = schema[name];
  if (name !== "patternProperties" && name !== "definitions") {
    return value !== undefined && (name !== "id" || value !== "");
  }
  return Object.keys(value ?? {}).length > 0;
}

function validateKeywords(
  errors: FieldErrors,
  field: string,
  { schema, place }: { schema: JSONSchemaProps; place: SchemaPlace },
): void {
  const { type } = schema;
  if (type) errors.oneOf(`${field}.type`, type, TYPES);
  if (schema.default !== undefined && place.noDefaults !== undefined) {
    errors.forbidden(`${field}.default`, `must not be set ${place.noDefaults}`);
  }
  for (const [name, why] of UNSUPPORTED) {
    if (isSaid(schema, name)) errors.forbidden(`${field}.${name}`, why);
  }
  if (type === "null") {
    const why = "type cannot be set to null, use nullable as an alternative";
    errors.forbidden(`${field}.type`, why);
  }
  if (Array.isArray(schema.items)) {
    errors.forbidden(`${field}.items`, "items must be a schema object and not an array");
  }
  if (place.inMeta && schema["x-kubernetes-embedded-resource"]) {
    const why = "must not be used inside of resource meta";
    errors.forbidden(`${field}.x-kubernetes-embedded-resource`, why);
  }
  if (schema.uniqueItems) {
    const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.forbidden(`${field}.uniqueItems`, why);
  }
  const named = Object.keys(schema.properties ?? {}).length > 0;
  if (named && schema.additionalProperties !== undefined && schema.additionalProperties !== true) {
    const why = "additionalProperties and properties are mutual exclusive";
    errors.forbidden(`${field}.additionalProperties`, why);
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    const place = `${field}.x-kubernetes-preserve-unknown-fields`;
    errors.invalid(place, false, "must be true or undefined");
  }
}

function validateListAndMap(errors: FieldErrors, field: string, schema: JSONSchemaProps): void {
  const mapType = schema["x-kubernetes-map-type"];
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const typed = (wanted: string, name: string) => {
    const why = `must be ${wanted} if ${name} is specified`;
    if (!schema.type) errors.required(`${field}.type`, why);
    else if (schema.type !== wanted) errors.invalid(`${field}.type`, schema.type, why);
  };
  if (mapType !== undefined) {
    typed("object", "x-kubernetes-map-type");
    errors.oneOf(`${field}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]);
  }
  if (listType !== undefined) {
    typed("array", "x-kubernetes-list-type");
    errors.oneOf(`${field}.x-kubernetes-list-type`, listType, ["atomic", "set", "map"]);
  }
  if (keys.length > 0 && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    const place = `${field}.x-kubernetes-list-type`;
    if (listType === undefined) errors.required(place, why);
    else errors.invalid(place, listType, why);
  }
  if (listType === "set") validateSet(errors, field, schema);
  if (listType === "map") validateMapList(errors, field, { schema, keys });
}

function validateSet(errors: FieldErrors, field: string, schema: JSONSchemaProps): void {
  const items = itemsOf(schema);
  if (!items) return;
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const itemListType = items["x-kubernetes-list-type"] ?? "atomic";
  if (items.type === "array" && itemListType !== "atomic") {
    errors.invalid(`${field}.items.x-kubernetes-list-type`, itemListType, why);
  }
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
    // Upstream shows the other type.
    const shown = items["x-kubernetes-list-type"];
    errors.invalid(`${field}.items.x-kubernetes-map-type`, shown, why);
  }
  notNullable(errors, `${field}.items`, { items, type: "set" });
}

function notNullable(
  errors: FieldErrors,
  field: string,
  { items, type }: { items: JSONSchemaProps; type: string },
): void {
  if (!items.nullable) return;
  errors.forbidden(
    `${field}.nullable`,
    `cannot be nullable when x-kubernetes-list-type is ${type}`,
  );
}

function validateMapList(
  errors: FieldErrors,
  field: string,
  { schema, keys }: { schema: JSONSchemaProps; keys: readonly string[] },
): void {
  const place = `${field}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) {
    errors.required(place, "must not be empty if x-kubernetes-list-type is map");
  }
  const items = itemsOf(schema);
  if (!items) {
    errors.required(`${field}.items`, "must have a schema if x-kubernetes-list-type is map");
    return;
  }
  if (items.type !== "object") {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.invalid(`${field}.items.type`, items.type ?? "", why);
    return;
  }
  notNullable(errors, `${field}.items`, { items, type: "map" });
  const shown = goStrings(keys);
  for (const [at, key] of keys.entries()) {
    const property = items.properties?.[key];
    if (!property) errors.invalid(place, shown, "entries must all be names of item properties");
    else validateKey(errors, `${field}.items.properties[${key}]`, { property, items, key });
    if (keys.indexOf(key) < at) errors.invalid(place, shown, "must not contain duplicate entries");
  }
}

function validateKey(
  errors: FieldErrors,
  field: string,
  of: { property: JSONSchemaProps; items: JSONSchemaProps; key: string },
): void {
  const { property, items, key } = of;
  if (property.type === "array" || property.type === "object") {
    const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
    // Upstream shows the type of the items.
    errors.invalid(`${field}.type`, items.type, why);
  }
  if (!items.required?.includes(key) && property.default === undefined) {
    errors.required(
      `${field}.default`,
      "this property is in x-kubernetes-list-map-keys, so it must have a default or be a " +
        "required property",
    );
  }
  if (property.nullable) {
    const why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
    errors.forbidden(`${field}.nullable`, why);
  }
}
