import type { JSONSchemaProps } from "../../api/generated/types/apiextensions-v1.ts";
import type { Field, FieldType, SchemaModel, StructType } from "../../api/schema/model.ts";

const OBJECT_META = "meta/v1.ObjectMeta";
const METADATA: FieldType = { kind: "struct", struct: OBJECT_META };
const STRING: FieldType = { kind: "string" };
const ANY: FieldType = { kind: "any" };

/**
 * Types of a custom resource from its structural schema, so that decoding (which prunes) and
 * server-side apply work as for built-in kinds. Scalars are free here: `validateValue` checks
 * them, in the words of upstream.
 */
export function structuralModel(
  base: SchemaModel,
  of: { name: string; schema: JSONSchemaProps | undefined },
): { model: SchemaModel; struct: StructType } {
  const structs = new Map<string, StructType>();
  const root = structFrom(structs, of.name, of.schema ?? { ...FREE });
  const fields = new Map(root.fields);
  describeObject(fields);
  // Even an empty object has metadata, so that nobody comes to own it.
  fields.set("metadata", { ...fieldOf("metadata", METADATA), omitEmpty: false });
  const struct: StructType = { ...root, fields };
  structs.set(of.name, struct);
  const model: SchemaModel = {
    struct: (name) => structs.get(name) ?? base.struct(name),
    root: (gvk) => base.root(gvk),
    kinds: () => base.kinds(),
  };
  return { model, struct };
}

/** What every object has, whatever the schema says. */
function describeObject(fields: Map<string, Field>): void {
  fields.set("apiVersion", fieldOf("apiVersion", STRING));
  fields.set("kind", fieldOf("kind", STRING));
  fields.set("metadata", fieldOf("metadata", METADATA));
}

const FREE: JSONSchemaProps = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

function fieldOf(name: string, type: FieldType): Field {
  return { name, type, required: false, omitEmpty: true, pointer: true };
}

function structFrom(
  structs: Map<string, StructType>,
  name: string,
  schema: JSONSchemaProps,
): StructType {
  const fields = new Map<string, Field>();
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const field = fieldOf(key, typeFrom(structs, `${name}.${key}`, property));
    if (property["x-kubernetes-map-type"] === "atomic") field.atomic = true;
    // Elements of lists are told apart by keys that not everybody writes.
    if (property.default !== undefined) field.default = property.default;
    fields.set(key, field);
  }
  if (schema["x-kubernetes-embedded-resource"]) describeObject(fields);
  const struct: StructType = { name, fields, lenient: true };
  if (schema["x-kubernetes-preserve-unknown-fields"]) struct.preserveUnknown = true;
  structs.set(name, struct);
  return struct;
}

function typeFrom(
  structs: Map<string, StructType>,
  name: string,
  schema: JSONSchemaProps,
): FieldType {
  if (schema["x-kubernetes-int-or-string"]) return ANY;
  if (schema.type === "array") return listFrom(structs, name, schema);
  if (schema.type !== "object") return ANY;
  const { additionalProperties } = schema;
  if (additionalProperties && !schema.properties) {
    const of =
      additionalProperties === true ? ANY : typeFrom(structs, `${name}.*`, additionalProperties);
    return { kind: "map", of };
  }
  structFrom(structs, name, schema);
  return { kind: "struct", struct: name };
}

function listFrom(
  structs: Map<string, StructType>,
  name: string,
  schema: JSONSchemaProps,
): FieldType {
  const items = Array.isArray(schema.items) ? schema.items[0] : schema.items;
  const of = items ? typeFrom(structs, `${name}[]`, items) : ANY;
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"];
  if (listType === "map" && keys) return { kind: "list", of, listType, mapKeys: keys };
  return listType === "set" ? { kind: "list", of, listType } : { kind: "list", of };
}
