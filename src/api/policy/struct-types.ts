import {
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  INT,
  listOf,
  mapOf,
  type ObjectField,
  STRING,
  TIMESTAMP,
  type Type,
} from "../../lib/cel/types.ts";
import { escapeIdentifier } from "../custom-resource/schema-types.ts";
import type { FieldType, SchemaModel, StructType } from "../schema/model.ts";

/** Types that hold themselves would never end. */
const DEPTH_MAX = 16;

/** The type of a built-in kind in expressions. */
export function celTypeOfStruct(model: SchemaModel, struct: StructType): Type {
  return new Converter(model).struct(struct, 0);
}

class Converter {
  readonly #model: SchemaModel;
  readonly #known = new Map<string, Type>();

  constructor(model: SchemaModel) {
    this.#model = model;
  }

  struct(struct: StructType, depth: number): Type {
    const known = this.#known.get(struct.name);
    if (known) return known;
    if (depth > DEPTH_MAX) return DYN;
    const fields = new Map<string, ObjectField>();
    const type: Type = { kind: "object", name: struct.name, fields };
    this.#known.set(struct.name, type);
    for (const [name, field] of struct.fields) {
      const identifier = escapeIdentifier(name);
      if (identifier === undefined) continue;
      fields.set(identifier, { name, type: this.#type(field.type, depth + 1) });
    }
    return type;
  }

  #type(type: FieldType, depth: number): Type {
    switch (type.kind) {
      case "struct":
        return this.struct(this.#model.struct(type.struct), depth);
      case "list":
        return listOf(this.#type(type.of, depth));
      case "map":
        return mapOf(STRING, this.#type(type.of, depth));
      default:
        return SCALARS[type.kind];
    }
  }
}

const SCALARS: Readonly<Record<Exclude<FieldType["kind"], "struct" | "list" | "map">, Type>> = {
  string: STRING,
  int32: INT,
  int64: INT,
  float64: DOUBLE,
  boolean: BOOL,
  bytes: BYTES,
  time: TIMESTAMP,
  microTime: TIMESTAMP,
  duration: STRING,
  quantity: STRING,
  intOrString: DYN,
  any: DYN,
};
