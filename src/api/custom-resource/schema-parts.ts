import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";

/** Schema of the items of an array. */
export function itemsOf({ items }: JSONSchemaProps): JSONSchemaProps | undefined {
  return Array.isArray(items) ? items[0] : items;
}

/** Schema of values under free keys. */
export function additionalOf(schema: JSONSchemaProps): JSONSchemaProps | undefined {
  const { additionalProperties } = schema;
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

/** Schema of the value under a key. */
export function propertyOf(schema: JSONSchemaProps, key: string): JSONSchemaProps | undefined {
  const { properties } = schema;
  return properties && Object.hasOwn(properties, key) ? properties[key] : additionalOf(schema);
}

/** A JSON object, neither null nor an array. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Finds what an item of a list was before: only lists of type "map" tell, by the keys of their
 * items. Undefined for a new item.
 */
export function itemBefore(schema: JSONSchemaProps, old: unknown): (item: unknown) => unknown {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (schema["x-kubernetes-list-type"] !== "map" || !keys || !Array.isArray(old)) {
    return () => undefined;
  }
  const before = new Map<string, unknown>();
  for (const item of old as unknown[]) before.set(itemKey(item, keys), item);
  return (item) => before.get(itemKey(item, keys));
}

/** What tells an item of a list of type "map" from the others. */
export function itemKey(item: unknown, keys: readonly string[]): string {
  if (!isJsonObject(item)) return "";
  return JSON.stringify(keys.map((key) => item[key] ?? null));
}
