import type { Field, FieldType, SchemaModel } from "../../../src/api/schema/model.ts";

/** Deeper structs are left out, as many types hold themselves. */
const DEPTH_MAX = 7;

/** By field, values that more rules let pass than those of its type alone would. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  name: "a",
  namespace: "default",
  image: "nginx:1.25",
  path: "/a",
  port: 80,
  containerPort: 80,
  clusterIP: "None",
  schedule: "*/5 * * * *",
  topologyKey: "kubernetes.io/hostname",
  mountPath: "/mnt",
  expression: "true",
  rule: "true",
  cidr: "10.0.0.0/8",
  ip: "10.0.0.1",
};

/** An object of a type with every field set to something of the field's own type. */
export function sampleOfStruct(
  model: SchemaModel,
  struct: string,
  depth = 0,
): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const field of model.struct(struct).fields.values()) {
    const value = sampleOfField(model, field, depth);
    if (value !== undefined) object[field.name] = value;
  }
  return object;
}

function sampleOfField(model: SchemaModel, field: Field, depth: number): unknown {
  if (field.type.kind === "string" && field.enum) return field.enum.find((each) => each !== "");
  if (field.type.kind === "list" && field.enum) return [field.enum[0]];
  if (field.default !== undefined) return field.default;
  const isScalar = !["struct", "list", "map"].includes(field.type.kind);
  if (isScalar && Object.hasOwn(BY_NAME, field.name)) return BY_NAME[field.name];
  return sampleOfType(model, field.type, depth);
}

function sampleOfType(model: SchemaModel, type: FieldType, depth: number): unknown {
  switch (type.kind) {
    case "struct":
      return depth < DEPTH_MAX ? sampleOfStruct(model, type.struct, depth + 1) : undefined;
    case "list": {
      const item = sampleOfType(model, type.of, depth);
      return item === undefined ? undefined : [item];
    }
    case "map": {
      const value = sampleOfType(model, type.of, depth);
      return value === undefined ? undefined : { a: value };
    }
    case "boolean":
      return true;
    case "int32":
    case "int64":
      return 1;
    case "float64":
      return 0.5;
    case "bytes":
      return "YQ==";
    case "time":
      return "2024-01-01T00:00:00Z";
    case "microTime":
      return "2024-01-01T00:00:00.000001Z";
    case "duration":
      return "1s";
    case "quantity":
      return "1";
    case "intOrString":
      return 80;
    case "any":
      return {};
    default:
      return "a";
  }
}
