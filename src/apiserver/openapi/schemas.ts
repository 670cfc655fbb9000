import type {
  Field,
  FieldType,
  GroupVersionKind,
  SchemaModel,
  StructType,
} from "../../api/schema/model.ts";
import { definitionNameOf, referenceTo } from "./definition-names.ts";
import { Descriptions } from "./descriptions.ts";

/** A JSON schema, or a part of one. */
export type JsonSchema = { [key: string]: unknown };

const META = "io.k8s.apimachinery.pkg";

/** Scalars that have a definition of their own, so that clients can tell them from text. */
const NAMED_SCALARS: Readonly<Record<string, readonly [name: string, schema: JsonSchema]>> = {
  quantity: [
    `${META}.api.resource.Quantity`,
    { oneOf: [{ type: "string" }, { type: "number" }], description: "An amount such as 500m." },
  ],
  intOrString: [
    `${META}.util.intstr.IntOrString`,
    { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  ],
  time: [`${META}.apis.meta.v1.Time`, { type: "string", format: "date-time" }],
  microTime: [`${META}.apis.meta.v1.MicroTime`, { type: "string", format: "date-time" }],
  duration: [`${META}.apis.meta.v1.Duration`, { type: "string" }],
};

const PLAIN_SCALARS: Readonly<Record<string, JsonSchema>> = {
  string: { type: "string" },
  boolean: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  float64: { type: "number", format: "double" },
  bytes: { type: "string", format: "byte" },
  any: { type: "object" },
};

/** The definitions that a document needs, collected from the types it mentions. */
export class SchemaCollector {
  readonly #model: SchemaModel;
  readonly #definitions = new Map<string, JsonSchema>();
  readonly #descriptions = new Descriptions();
  /** Types that say no more than a field that has them; kubectl prints one text after the other. */
  readonly #echoes = new Set<string>();
  readonly #kinds: ReadonlyMap<string, readonly GroupVersionKind[]>;

  /** @param kinds what to say of `x-kubernetes-group-version-kind`, by type name */
  constructor(model: SchemaModel, kinds: ReadonlyMap<string, readonly GroupVersionKind[]>) {
    this.#model = model;
    this.#kinds = kinds;
  }

  /** Adds a type with all that it refers to, and answers a reference to it. */
  reference(struct: string): { $ref: string } {
    const name = definitionNameOf(struct);
    if (!this.#definitions.has(name)) {
      this.#definitions.set(name, {});
      this.#definitions.set(name, this.#structSchema(this.#model.struct(struct)));
    }
    return referenceTo(name);
  }

  /** Adds a definition that the model does not know, such as that of a custom kind. */
  add(name: string, schema: JsonSchema): { $ref: string } {
    this.#definitions.set(name, schema);
    return referenceTo(name);
  }

  /** All definitions so far by name, in alphabetical order. */
  definitions(): { [name: string]: JsonSchema } {
    const entries = [...this.#definitions].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      entries.map(([name, schema]) => [name, this.#echoes.has(name) ? silenced(schema) : schema]),
    );
  }

  #structSchema(struct: StructType): JsonSchema {
    const schema: JsonSchema = { type: "object" };
    const description = this.#descriptions.ofStruct(struct.name);
    if (description) schema["description"] = description;
    const properties: { [name: string]: JsonSchema } = {};
    const required: string[] = [];
    for (const field of struct.fields.values()) {
      properties[field.name] = this.#fieldSchema(struct, field);
      if (field.required) required.push(field.name);
    }
    if (struct.fields.size > 0) schema["properties"] = properties;
    if (required.length > 0) schema["required"] = required;
    if (struct.atomic) schema["x-kubernetes-map-type"] = "atomic";
    const kinds = this.#kinds.get(struct.name);
    if (kinds) schema["x-kubernetes-group-version-kind"] = kinds;
    return schema;
  }

  #fieldSchema(struct: StructType, field: Field): JsonSchema {
    const schema = this.#typeSchema(field.type);
    const extra: JsonSchema = {};
    const description = this.#descriptions.ofField(struct.name, field.name);
    if (description) extra["description"] = description;
    this.#noteEcho(field.type, description);
    if (field.default !== undefined) extra["default"] = field.default;
    if (field.enum && field.type.kind === "string") extra["enum"] = [...field.enum].sort();
    if (field.enum && field.type.kind === "list") {
      extra["items"] = { type: "string", enum: [...field.enum].sort() };
    }
    if (field.patchStrategy) extra["x-kubernetes-patch-strategy"] = field.patchStrategy;
    if (field.patchMergeKey) extra["x-kubernetes-patch-merge-key"] = field.patchMergeKey;
    if (field.atomic) extra["x-kubernetes-map-type"] = "atomic";
    if (Object.keys(extra).length === 0) return schema;
    return schema["$ref"] ? { ...extra, allOf: [schema] } : { ...schema, ...extra };
  }

  #noteEcho(type: FieldType, description: string | undefined): void {
    const held = type.kind === "list" ? type.of : type;
    if (held.kind !== "struct" || this.#kinds.has(held.struct)) return;
    if (description !== this.#descriptions.ofStruct(held.struct)) return;
    this.#echoes.add(definitionNameOf(held.struct));
  }

  #typeSchema(type: FieldType): JsonSchema {
    switch (type.kind) {
      case "struct":
        return this.reference(type.struct);
      case "list":
        return {
          type: "array",
          items: this.#typeSchema(type.of),
          ...(type.listType ? { "x-kubernetes-list-type": type.listType } : {}),
          ...(type.mapKeys ? { "x-kubernetes-list-map-keys": type.mapKeys } : {}),
        };
      case "map":
        return {
          type: "object",
          additionalProperties: this.#typeSchema(type.of),
          ...(type.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
        };
      default:
        return this.#scalarSchema(type.kind);
    }
  }

  #scalarSchema(kind: string): JsonSchema {
    const named = NAMED_SCALARS[kind];
    return named ? this.add(...named) : { ...PLAIN_SCALARS[kind] };
  }
}

function silenced(schema: JsonSchema): JsonSchema {
  const { description: _, ...rest } = schema;
  return rest;
}
