import { compileRegexp } from "../../lib/regexp/regexp.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import type { FieldErrors } from "../validation/field-errors.ts";
import { additionalOf, itemsOf } from "./schema-parts.ts";

type Level = "root" | "item" | "field";

const INT_OR_STRING: readonly JSONSchemaProps[] = [{ type: "integer" }, { type: "string" }];
const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

/**
 * What keeps a schema from being structural: one tree that gives every value its type, and
 * combinations that only restrict values. Pruning, defaults and server-side apply rely on it.
 */
export function validateStructural(
  errors: FieldErrors,
  field: string,
  schema: JSONSchemaProps,
): void {
  validateNode(errors, field, { schema, level: "root" });
  validateComplete(errors, field, schema);
}

function validateNode(
  errors: FieldErrors,
  field: string,
  of: { schema: JSONSchemaProps; level: Level },
): void {
  const { schema, level } = of;
  const items = itemsOf(schema);
  if (schema.type === "array" && !items) errors.required(`${field}.items`, "must be specified");
  if (items) validateNode(errors, `${field}.items`, { schema: items, level: "item" });
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    validateNode(errors, `${field}.properties[${name}]`, { schema: property, level: "field" });
  }
  const { additionalProperties } = schema;
  if (additionalProperties !== undefined && level === "root") {
    errors.forbidden(`${field}.additionalProperties`, "must not be used at the root");
  }
  const additional = additionalOf(schema);
  if (additional) {
    validateNode(errors, `${field}.additionalProperties`, { schema: additional, level: "field" });
  }
  validateExtensions(errors, field, schema);
  validateRestrictions(errors, field, { schema, skip: intOrStringPattern(schema) });
  validateType(errors, field, of);
  validateMetaFields(errors, field, of);
}

function validateExtensions(errors: FieldErrors, field: string, schema: JSONSchemaProps): void {
  if (!schema["x-kubernetes-int-or-string"]) return;
  const names = ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const;
  for (const name of names) {
    if (!schema[name]) continue;
    errors.invalid(`${field}.${name}`, true, "must be false if x-kubernetes-int-or-string is true");
  }
}

function validateType(
  errors: FieldErrors,
  field: string,
  { schema, level }: { schema: JSONSchemaProps; level: Level },
): void {
  const { type = "" } = schema;
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (embedded && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    if (type === "") errors.required(`${field}.type`, why);
    else errors.invalid(`${field}.type`, type, why);
  } else if (type === "" && !schema["x-kubernetes-int-or-string"] && !preserves) {
    errors.required(`${field}.type`, EMPTY_TYPE[level]);
  }
  if (embedded && schema.additionalProperties !== undefined) {
    const why = "must not be used if x-kubernetes-embedded-resource is set";
    errors.forbidden(`${field}.additionalProperties`, why);
  }
  if (level === "root" && type !== "" && type !== "object") {
    errors.invalid(`${field}.type`, type, "must be object at the root");
  }
  if (embedded && !preserves && Object.keys(schema.properties ?? {}).length === 0) {
    errors.required(
      `${field}.properties`,
      "must not be empty if x-kubernetes-embedded-resource is true without " +
        "x-kubernetes-preserve-unknown-fields",
    );
  }
}

/** Kind, version and metadata are what they are everywhere. */
function validateMetaFields(
  errors: FieldErrors,
  field: string,
  { schema, level }: { schema: JSONSchemaProps; level: Level },
): void {
  if (level !== "root" && !schema["x-kubernetes-embedded-resource"]) return;
  const { properties = {} } = schema;
  for (const name of ["kind", "apiVersion"]) {
    const property = properties[name];
    if (!property || property.type === "string") continue;
    errors.invalid(`${field}.properties[${name}].type`, property.type ?? "", "must be string");
  }
  const { metadata } = properties;
  if (!metadata) return;
  const place = `${field}.properties[metadata]`;
  if (metadata.type !== "object") {
    errors.invalid(`${place}.type`, metadata.type ?? "", "must be object");
  }
  if (level !== "root") return;
  const { type: _, description: _text, properties: own = {}, ...rest } = metadata;
  const known = Object.keys(own).every((name) => name === "name" || name === "generateName");
  if (known && Object.keys(rest).length === 0) return;
  errors.forbidden(
    place,
    "must not specify anything other than name and generateName, but metadata is implicitly " +
      "specified",
  );
}

/** `anyOf` of integer and string below int-or-string is how older tools say the same. */
function intOrStringPattern(schema: JSONSchemaProps): { anyOf: boolean; firstAllOf: boolean } {
  const { anyOf, allOf } = schema;
  const first = allOf?.[0]?.anyOf;
  return {
    anyOf: deepEqual(anyOf, INT_OR_STRING),
    firstAllOf: first !== undefined && deepEqual(first, INT_OR_STRING),
  };
}

function validateRestrictions(
  errors: FieldErrors,
  field: string,
  of: { schema: JSONSchemaProps; skip: { anyOf: boolean; firstAllOf: boolean } },
): void {
  const { schema, skip } = of;
  const { anyOf = [], allOf = [], oneOf = [], not, pattern } = schema;
  if (!skip.anyOf) {
    for (const [at, each] of anyOf.entries()) validateNested(errors, `${field}.anyOf[${at}]`, each);
  }
  for (const [at, each] of allOf.entries()) {
    const isPattern = at === 0 && skip.firstAllOf;
    validateNested(errors, `${field}.allOf[${at}]`, each, isPattern);
  }
  for (const [at, each] of oneOf.entries()) validateNested(errors, `${field}.oneOf[${at}]`, each);
  if (not) validateNested(errors, `${field}.not`, not);
  if (pattern) validatePattern(errors, `${field}.pattern`, pattern);
}

function validatePattern(errors: FieldErrors, field: string, pattern: string): void {
  try {
    compileRegexp(pattern);
  } catch (error) {
    const why = `must be a valid regular expression, but isn't: ${(error as Error).message}`;
    errors.invalid(field, pattern, why);
  }
}

/** What only the tree itself may say. */
const FORBIDDEN: readonly (readonly [keyof JSONSchemaProps, string])[] = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

function validateNested(
  errors: FieldErrors,
  field: string,
  schema: JSONSchemaProps,
  skipAnyOf: boolean = false,
): void {
  const skip = { anyOf: skipAnyOf, firstAllOf: false };
  validateRestrictions(errors, field, { schema, skip });
  const items = itemsOf(schema);
  if (items) validateNested(errors, `${field}.items`, items);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    validateNested(errors, `${field}.properties[${name}]`, property);
  }
  for (const [name, why] of FORBIDDEN) {
    const value = schema[name];
    const isEmpty = !why.includes("undefined") && (value === "" || value === false);
    if (value === undefined || isEmpty) continue;
    errors.forbidden(`${field}.${name}`, why);
  }
  if (schema.properties?.["metadata"]) {
    const why = "must not be specified in a nested context";
    errors.forbidden(`${field}.properties[metadata]`, why);
  }
}

/** Fields that combinations at the root restrict must be declared; upstream looks no deeper. */
function validateComplete(errors: FieldErrors, field: string, schema: JSONSchemaProps): void {
  for (const [place, nested] of combinationsOf(schema)) {
    requireDeclared(errors, field, { schema, nested, place: `${field}.${place}` });
  }
}

function combinationsOf(schema: JSONSchemaProps): [string, JSONSchemaProps][] {
  const { anyOf = [], allOf = [], oneOf = [], not } = schema;
  const lists = { anyOf, allOf, oneOf };
  const all = Object.entries(lists).flatMap(([name, list]) => {
    return list.map((each, at): [string, JSONSchemaProps] => [`${name}[${at}]`, each]);
  });
  return not ? [...all, ["not", not]] : all;
}

function requireDeclared(
  errors: FieldErrors,
  field: string,
  of: { schema: JSONSchemaProps | undefined; nested: JSONSchemaProps; place: string },
): void {
  const { schema, nested, place } = of;
  const wantedItems = itemsOf(nested);
  if (wantedItems) {
    const items = schema && itemsOf(schema);
    if (!items) errors.required(`${field}.items`, `because it is defined in ${place}.items`);
    else {
      const inner = { schema: items, nested: wantedItems, place: `${place}.items` };
      requireDeclared(errors, `${field}.items`, inner);
    }
  }
  for (const [name, wanted] of Object.entries(nested.properties ?? {})) {
    const property = schema?.properties?.[name];
    const at = `properties[${name}]`;
    if (!property) errors.required(`${field}.${at}`, `because it is defined in ${place}.${at}`);
    else {
      const inner = { schema: property, nested: wanted, place: `${place}.${at}` };
      requireDeclared(errors, `${field}.${at}`, inner);
    }
  }
  for (const [name, each] of combinationsOf(nested)) {
    requireDeclared(errors, field, { schema, nested: each, place: `${place}.${name}` });
  }
}
