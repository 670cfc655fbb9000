import type { SizeOf } from "../../lib/cel/cost-estimate.ts";
import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import { additionalOf, itemsOf } from "./schema-parts.ts";
import { escapeIdentifier, visibleProperties } from "./schema-types.ts";

/** The largest request; nothing in an object can be larger. */
const REQUEST_BYTES_MAX = 3 * 1024 * 1024;
/** Without its brackets or quotes. */
const CONTENT_BYTES_MAX = REQUEST_BYTES_MAX - 2;
const CHARACTER_BYTES_MAX = 4;
/** The key's quotes, a colon, a comma and the shortest key. */
const ENTRY_BYTES_MIN = 6;

/** How large values of a schema may be, and how small. */
interface Sized {
  /** Most characters, items or entries; 0 for what has no such size. */
  max: number;
  /** Bytes of the shortest JSON. */
  bytesMin: number;
  fields?: ReadonlyMap<string, Sized>;
  items?: Sized;
  isMap?: boolean;
}

/** Sizes that a schema declares, or else that a request can have. */
export interface DeclaredSizes {
  sizeOf: SizeOf;
  /** How many values of the schema fit into one request. */
  valuesMax: number;
}

/** Sizes of the values of a schema, for estimates of what its rules cost. */
export function declaredSizes(schema: JSONSchemaProps, isRoot: boolean): DeclaredSizes {
  const root = sizedOf(schema, isRoot);
  const sizeOf: SizeOf = (path) => {
    let at = root;
    for (const step of path) at = at && below(at, step);
    return at?.max;
  };
  return { sizeOf, valuesMax: Math.floor(REQUEST_BYTES_MAX / ((root?.bytesMin ?? 0) + 1)) };
}

function below({ fields, items, isMap }: Sized, step: string): Sized | undefined {
  switch (step) {
    case "@items":
    case "@values":
      return items;
    case "@keys":
      return isMap ? { max: 0, bytesMin: 2 } : undefined;
    default:
      return fields?.get(step);
  }
}

function sizedOf(schema: JSONSchemaProps, isRoot: boolean): Sized | undefined {
  if (schema["x-kubernetes-int-or-string"]) return { max: CONTENT_BYTES_MAX, bytesMin: 1 };
  switch (schema.type) {
    case "array": {
      const items = inner(itemsOf(schema));
      if (!items) return undefined;
      const most = Math.floor(CONTENT_BYTES_MAX / (items.bytesMin + 1));
      return { max: declared(schema.maxItems) ?? most, bytesMin: 2, items };
    }
    case "object":
      return additionalOf(schema) ? sizedMap(schema) : sizedObject(schema, isRoot);
    case "string":
      return sizedString(schema);
    case "boolean":
      return { max: 0, bytesMin: 4 };
    case "number":
    case "integer":
      return { max: 0, bytesMin: 1 };
    default:
      return undefined;
  }
}

function inner(schema: JSONSchemaProps | undefined): Sized | undefined {
  return schema && sizedOf(schema, schema["x-kubernetes-embedded-resource"] === true);
}

function sizedMap(schema: JSONSchemaProps): Sized | undefined {
  const items = inner(additionalOf(schema));
  if (!items) return undefined;
  const most = Math.floor(CONTENT_BYTES_MAX / (items.bytesMin + ENTRY_BYTES_MIN));
  return { max: declared(schema.maxProperties) ?? most, bytesMin: 2, items, isMap: true };
}

function sizedObject(schema: JSONSchemaProps, isRoot: boolean): Sized {
  const fields = new Map<string, Sized>();
  let bytesMin = 2;
  for (const [name, property] of Object.entries(visibleProperties(schema, isRoot))) {
    const field = inner(property);
    if (!field) continue;
    const identifier = escapeIdentifier(name);
    if (identifier !== undefined) fields.set(identifier, field);
    // Defaults are filled in later, so requests may leave them out.
    const needed = schema.required?.includes(name) && property.default === undefined;
    if (needed) bytesMin += byteLength(name) + field.bytesMin + 4;
  }
  return { max: 0, bytesMin, fields };
}

/** Texts whose format bounds them. */
const FORMATTED: Readonly<Record<string, Sized>> = {
  duration: { max: 32, bytesMin: 3 },
  date: { max: 12, bytesMin: 12 },
  "date-time": { max: 32, bytesMin: 21 },
};

function sizedString({ format = "", maxLength, enum: values = [] }: JSONSchemaProps): Sized {
  const formatted = FORMATTED[format];
  if (formatted) return formatted;
  const length = declared(maxLength);
  if (length !== undefined) {
    return { max: format === "byte" ? length : length * CHARACTER_BYTES_MAX, bytesMin: 2 };
  }
  if (format === "byte" || values.length === 0) return { max: CONTENT_BYTES_MAX, bytesMin: 2 };
  const lengths = values.map((value) => (typeof value === "string" ? byteLength(value) : 0));
  return { max: Math.max(...lengths), bytesMin: 2 };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function declared(max: number | undefined): number | undefined {
  return max === undefined ? undefined : Math.max(0, Number(max));
}
