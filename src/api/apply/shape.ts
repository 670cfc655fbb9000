import type { FieldType, ListType, SchemaModel, StructType } from "../schema/model.ts";

/** Decoded JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** A type with its struct looked up. */
export type Shape = StructType | Exclude<FieldType, { kind: "struct" }>;

const ANY: Shape = { kind: "any" };
const FREE_OBJECT: StructType = { name: "", fields: new Map(), preserveUnknown: true };

export function shapeOf(type: FieldType, model: SchemaModel): Shape {
  return type.kind === "struct" ? model.struct(type.struct) : type;
}

/** The shape of a member; unknown members are as free as their value. */
export function memberShape(
  parent: Shape,
  name: string,
  from: { model: SchemaModel; value: unknown },
): Shape {
  if ("fields" in parent) {
    const field = parent.fields.get(name);
    if (field?.atomic) return ANY;
    if (field?.atomic === false) return { ...shapeOf(field.type, from.model), atomic: false };
    if (field) return shapeOf(field.type, from.model);
    return parent.preserveUnknown && isObject(from.value) ? FREE_OBJECT : ANY;
  }
  return parent.kind === "map" ? shapeOf(parent.of, from.model) : ANY;
}

/**
 * What an absent member counts as when only the other side has it: `null` where Go writes the zero
 * value, `undefined` where it writes nothing. Ownership of the member itself depends on it.
 */
export function absentValue(parent: Shape, name: string): null | undefined {
  const field = "fields" in parent ? parent.fields.get(name) : undefined;
  if (!field) return undefined;
  const byValue = field.type.kind === "struct" && !field.pointer;
  return byValue || !field.omitEmpty ? null : undefined;
}

/** Whether the value is owned as a whole. */
export function isAtomic(shape: Shape): boolean {
  if ("fields" in shape) return shape.atomic === true;
  if (shape.kind === "map") return shape.atomic === true;
  if (shape.kind === "list") return (shape.listType ?? "atomic") === "atomic";
  return true;
}

/**
 * The set element that names a list element: `k:{"name":"a"}` or `v:"a"`. Absent keys count as
 * their default; `undefined` when an element has none of its keys.
 */
export function elementOf(item: unknown, list: ListType, model: SchemaModel): string | undefined {
  if (list.listType !== "map") {
    return typeof item === "object" ? undefined : `v:${JSON.stringify(item)}`;
  }
  if (!isObject(item)) return undefined;
  const keys = list.mapKeys ?? [];
  const only = keys.length === 1 ? keys[0] : undefined;
  if (only !== undefined && item[only] !== undefined) {
    return `k:{${JSON.stringify(only)}:${JSON.stringify(item[only])}}`;
  }
  const parts: string[] = [];
  for (const key of keys.toSorted()) {
    const value = item[key] ?? defaultOf(list, key, model);
    if (value !== undefined) parts.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  }
  return parts.length > 0 ? `k:{${parts.join(",")}}` : undefined;
}

function defaultOf(list: ListType, key: string, model: SchemaModel): unknown {
  const item = shapeOf(list.of, model);
  const field = "fields" in item ? item.fields.get(key) : undefined;
  if (!field || field.default !== undefined || field.omitEmpty) return field?.default;
  // Go writes it, be it empty.
  if (field.type.kind === "string") return "";
  return field.type.kind === "int32" ? 0 : undefined;
}

/** List elements by their set element, first come; `undefined` when one cannot be named. */
export function indexElements(
  items: readonly unknown[],
  list: ListType,
  model: SchemaModel,
): Map<string, unknown> | undefined {
  const index = new Map<string, unknown>();
  for (const item of items) {
    const element = elementOf(item, list, model);
    if (element === undefined) return undefined;
    if (!index.has(element)) index.set(element, item);
  }
  return index;
}

/** Names of elements that are there more than once; all of them are one value. */
export function repeatedElements(
  items: readonly unknown[],
  list: ListType,
  model: SchemaModel,
): ReadonlySet<string> {
  const [seen, repeated] = [new Set<string>(), new Set<string>()];
  for (const item of items) {
    const element = elementOf(item, list, model) ?? "";
    if (seen.has(element)) repeated.add(element);
    seen.add(element);
  }
  return repeated;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
