import { copyJson } from "../../lib/json-copy.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import type { FieldErrors } from "../validation/field-errors.ts";
import { goValue } from "../validation/go-text.ts";
import { duplicateItems } from "./list-uniqueness.ts";
import { applySchemaDefaults } from "./schema-defaults.ts";
import { additionalOf, isJsonObject, itemsOf, propertyOf } from "./schema-parts.ts";
import { createValueValidator } from "./value-validation.ts";

/** Defaults must be valid themselves and hold nothing that the schema does not know. */
export function validateDefaults(
  errors: FieldErrors,
  field: string,
  schema: JSONSchemaProps,
): void {
  if (schema.default !== undefined) validateDefault(errors, `${field}.default`, schema);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    validateDefaults(errors, `${field}.properties[${name}]`, property);
  }
  const items = itemsOf(schema);
  if (items) validateDefaults(errors, `${field}.items`, items);
  const additional = additionalOf(schema);
  if (additional) validateDefaults(errors, `${field}.additionalProperties`, additional);
}

function validateDefault(errors: FieldErrors, field: string, schema: JSONSchemaProps): void {
  const value = copyJson(schema.default);
  if (!deepEqual(pruned(schema, value), value)) {
    errors.invalid(field, goValue(schema.default), "must not have unknown fields");
    return;
  }
  applySchemaDefaults(schema, value);
  // The value is told by where it stands in the default, the complaint by where that is.
  for (const cause of createValueValidator(schema).validate(value)) {
    errors.causes.push({ ...cause, field: cause.field ? `${field}.${cause.field}` : field });
  }
  errors.causes.push(...duplicateItems(schema, value, field));
}

/** The value without what the schema does not know. */
function pruned(schema: JSONSchemaProps, value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    return items ? value.map((item) => pruned(items, item)) : value;
  }
  if (!isJsonObject(value)) return value;
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const anyKey = schema.additionalProperties === true;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const property = propertyOf(schema, key);
    if (property) return [[key, pruned(property, inner)]];
    return preserves || anyKey || isMeta(schema, key) ? [[key, inner]] : [];
  });
  return Object.fromEntries(entries);
}

function isMeta(schema: JSONSchemaProps, key: string): boolean {
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  return embedded && /^(apiVersion|kind|metadata)$/.test(key);
}
