/**
 * Fields of a CustomResourceDefinition's schema that hold a schema or something else. In JSON the
 * one or the other stands there; in protobuf it is a message with a field for each.
 */
export type SchemaUnion = "list" | "boolean" | "strings";

const UNIONS: Readonly<Record<string, SchemaUnion>> = {
  items: "list",
  additionalItems: "boolean",
  additionalProperties: "boolean",
  dependencies: "strings",
};

/** @param struct type that has the field, which is also the type of the schemas in it */
export function schemaUnionOf(struct: string, field: string): SchemaUnion | undefined {
  return struct === "apiextensions/v1.JSONSchemaProps" ? UNIONS[field] : undefined;
}
