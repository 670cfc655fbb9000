import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  type ListType,
  listOf,
  mapOf,
  type ObjectField,
  STRING,
  TIMESTAMP,
  type Type,
} from "../../lib/cel/types.ts";
import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import { additionalOf, itemsOf } from "./schema-parts.ts";

const RESERVED: ReadonlySet<string> = new Set(
  (
    "true false null in as break const continue else for function if import let loop package " +
    "namespace return var void while"
  ).split(" "),
);
const ESCAPES: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

/** The identifier of a field in expressions; undefined for names that cannot have one. */
export function escapeIdentifier(name: string): string | undefined {
  if (!/^[A-Za-z_./-][\w./-]*$/.test(name)) return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replace(/__|[-./]/g, (part) => ESCAPES[part] ?? part);
}

/**
 * The type of values of a structural schema in expressions; undefined where expressions cannot see
 * them. Roots have name and kind whether or not the schema says so.
 */
export function celTypeOf(schema: JSONSchemaProps, isRoot = false): Type | undefined {
  if (schema["x-kubernetes-int-or-string"]) return DYN;
  switch (schema.type) {
    case "array":
      return listTypeOf(schema);
    case "object": {
      const additional = additionalOf(schema);
      if (!additional) return objectTypeOf(schema, isRoot);
      const of = celTypeOf(additional, isEmbedded(additional));
      return of && mapOf(STRING, of);
    }
    case "string":
      return FORMATTED[schema.format ?? ""] ?? STRING;
    case "boolean":
      return BOOL;
    case "number":
      return DOUBLE;
    case "integer":
      return INT;
    default:
      return undefined;
  }
}

const FORMATTED: Readonly<Record<string, Type>> = {
  byte: BYTES,
  duration: DURATION,
  date: TIMESTAMP,
  "date-time": TIMESTAMP,
};

function isEmbedded(schema: JSONSchemaProps): boolean {
  return schema["x-kubernetes-embedded-resource"] === true;
}

function listTypeOf(schema: JSONSchemaProps): ListType | undefined {
  const items = itemsOf(schema);
  const of = items && celTypeOf(items, isEmbedded(items));
  if (!of) return undefined;
  const list = listOf(of);
  const listType = schema["x-kubernetes-list-type"];
  if (listType === "set") return { ...list, items: "set" };
  if (listType !== "map") return list;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  return { ...list, items: { keys: keys.map((key) => escapeIdentifier(key) ?? key) } };
}

const STRING_SCHEMA: JSONSchemaProps = { type: "string" };
const METADATA: JSONSchemaProps = {
  type: "object",
  properties: { name: STRING_SCHEMA, generateName: STRING_SCHEMA },
};

/** Properties that expressions may see: of roots also name and kind. */
export function visibleProperties(
  schema: JSONSchemaProps,
  isRoot: boolean,
): Readonly<Record<string, JSONSchemaProps>> {
  const own = schema.properties ?? {};
  if (!isRoot) return own;
  const { kind, apiVersion, metadata } = own;
  const { name, generateName } = metadata?.properties ?? {};
  const texts = [kind, apiVersion, name, generateName];
  const declared = metadata?.type === "object" && texts.every((text) => text?.type === "string");
  if (declared) return own;
  return { ...own, apiVersion: STRING_SCHEMA, kind: STRING_SCHEMA, metadata: METADATA };
}

function objectTypeOf(schema: JSONSchemaProps, isRoot: boolean): Type {
  const fields = new Map<string, ObjectField>();
  for (const [name, property] of Object.entries(visibleProperties(schema, isRoot))) {
    const type = celTypeOf(property, isEmbedded(property));
    const identifier = escapeIdentifier(name);
    if (type && identifier !== undefined) fields.set(identifier, { name, type });
  }
  return { kind: "object", name: "object", fields };
}
