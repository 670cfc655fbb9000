import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import type { StatusCause } from "../status.ts";
import { goValue } from "../validation/go-text.ts";
import { isJsonObject, itemsOf, propertyOf } from "./schema-parts.ts";

/** Items that stand twice in lists of type "set" or "map". */
export function duplicateItems(
  schema: JSONSchemaProps,
  value: unknown,
  path: string = "",
): StatusCause[] {
  if (Array.isArray(value)) return listDuplicates(schema, value, path);
  if (!isJsonObject(value)) return [];
  const causes: StatusCause[] = [];
  for (const [key, inner] of Object.entries(value)) {
    const property = propertyOf(schema, key);
    const named = schema.properties && Object.hasOwn(schema.properties, key);
    const place = !path ? key : named ? `${path}.${key}` : `${path}[${key}]`;
    if (property) causes.push(...duplicateItems(property, inner, place));
  }
  return causes;
}

function listDuplicates(
  schema: JSONSchemaProps,
  value: readonly unknown[],
  path: string,
): StatusCause[] {
  const causes: StatusCause[] = [];
  const type = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (type === "set" || type === "map") {
    const seen = new Map<string, number>();
    for (const [at, item] of value.entries()) {
      const shown = type === "set" ? item : keysOf(item, keys);
      const id = canonical(shown);
      const times = (seen.get(id) ?? 0) + 1;
      seen.set(id, times);
      if (times !== 2) continue;
      const message = `Duplicate value: ${goValue(shown).text}`;
      causes.push({ reason: "FieldValueDuplicate", message, field: `${path}[${at}]` });
    }
  }
  const items = itemsOf(schema);
  if (!items) return causes;
  for (const [at, item] of value.entries()) {
    causes.push(...duplicateItems(items, item, `${path}[${at}]`));
  }
  return causes;
}

function keysOf(item: unknown, keys: readonly string[]): object {
  if (!isJsonObject(item)) return {};
  return Object.fromEntries(keys.flatMap((key) => (key in item ? [[key, item[key]]] : [])));
}

/** The same text for equal values, whatever the order of their keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "bigint") return String(inner);
    if (!isJsonObject(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
