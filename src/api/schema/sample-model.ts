import type { Field, FieldType, SchemaModel, StructType } from "./model.ts";

/** A field as the samples write it: `string`, `[Item]`, or an object with more to say. */
type Sample = FieldType["kind"] | FieldType | (Partial<Field> & { type: FieldType });

/**
 * A small model for tests, from `{ Struct: { field: type } }`; a name that is no scalar kind is
 * a struct of the sample. Fields are optional and omitted when empty unless they say otherwise.
 */
export function sampleModel(structs: Record<string, Record<string, Sample | string>>): SchemaModel {
  const types = new Map<string, StructType>();
  for (const [name, fields] of Object.entries(structs)) {
    const entries = Object.entries(fields).map(([field, sample]) => {
      return [field, fieldOf(field, sample, new Set(Object.keys(structs)))] as const;
    });
    types.set(name, { name, fields: new Map(entries) });
  }
  const struct = (name: string) => {
    const type = types.get(name);
    if (!type) throw new RangeError(`no struct ${name}`);
    return type;
  };
  return { struct, root: (gvk) => types.get(gvk.kind), kinds: () => [] };
}

function fieldOf(name: string, sample: Sample | string, structs: ReadonlySet<string>): Field {
  const base = { name, required: false, omitEmpty: true };
  if (typeof sample === "string") {
    const type = structs.has(sample) ? { kind: "struct", struct: sample } : { kind: sample };
    return { ...base, type: type as FieldType };
  }
  return "type" in sample ? { ...base, ...sample } : { ...base, type: sample };
}

/** A Pod-like kind with every sort of list and map. */
export function podLikeModel(): SchemaModel {
  const string = { kind: "string" } as const;
  return sampleModel({
    Pod: {
      apiVersion: "string",
      kind: "string",
      metadata: "ObjectMeta",
      spec: "Spec",
      status: "Status",
    },
    ObjectMeta: {
      name: "string",
      labels: { kind: "map", of: string },
      annotations: { kind: "map", of: string },
      finalizers: { type: { kind: "list", of: string, listType: "set" }, patchStrategy: "merge" },
      resourceVersion: "string",
      managedFields: { kind: "list", of: { kind: "any" } },
    },
    Spec: {
      nodeName: "string",
      replicas: "int32",
      containers: {
        type: { kind: "list", of: struct("Container"), listType: "map", mapKeys: ["name"] },
        patchStrategy: "merge",
        patchMergeKey: "name",
        omitEmpty: false,
      },
      strategy: { type: struct("Strategy"), patchStrategy: "retainKeys" },
      volumes: {
        type: { kind: "list", of: struct("Volume"), listType: "map", mapKeys: ["name"] },
        patchStrategy: "merge,retainKeys",
        patchMergeKey: "name",
      },
      selector: { kind: "map", of: string, atomic: true },
    },
    Container: {
      name: "string",
      image: "string",
      args: { kind: "list", of: string },
      ports: {
        type: { kind: "list", of: struct("Port"), listType: "map", mapKeys: ["port", "protocol"] },
        patchStrategy: "merge",
        patchMergeKey: "port",
      },
    },
    Port: { port: "int32", protocol: { type: string, default: "TCP" }, name: "string" },
    Strategy: { type: "string", rolling: { type: struct("Rolling"), pointer: true } },
    Rolling: { max: "intOrString" },
    Volume: {
      name: "string",
      emptyDir: { type: struct("EmptyDir"), pointer: true },
      path: "string",
    },
    EmptyDir: { medium: "string" },
    Status: { phase: "string" },
  });
}

function struct(name: string): FieldType {
  return { kind: "struct", struct: name };
}
