import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";

/** Whether any field has a default. */
export function hasDefaults(schema: JSONSchemaProps): boolean {
  const { items, additionalProperties } = schema;
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...(Array.isArray(items) ? items : items ? [items] : []),
    ...(typeof additionalProperties === "object" ? [additionalProperties] : []),
  ];
  return inner.some((each) => each.default !== undefined || hasDefaults(each));
}

/**
 * Fills in the defaults of the schema, in place; null goes where it may not stand. Whether there
 * was something to do.
 */
export function applySchemaDefaults(schema: JSONSchemaProps, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  let filled = false;
  if (Array.isArray(value)) {
    const items = Array.isArray(schema.items) ? schema.items[0] : schema.items;
    if (items) for (const item of value) filled = applySchemaDefaults(items, item) || filled;
    return filled;
  }
  const object = value as Record<string, unknown>;
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const unwanted = object[key] === null && !property.nullable;
    if ((object[key] === undefined || unwanted) && property.default !== undefined) {
      object[key] = structuredClone(property.default);
      filled = true;
    } else if (unwanted) {
      delete object[key];
      filled = true;
    }
    filled = applySchemaDefaults(property, object[key]) || filled;
  }
  const { additionalProperties } = schema;
  if (typeof additionalProperties !== "object") return filled;
  for (const [key, inner] of Object.entries(object)) {
    if (schema.properties?.[key]) continue;
    filled = applySchemaDefaults(additionalProperties, inner) || filled;
  }
  return filled;
}
