/**
 * The one description of every kind, built-in or custom. Decoding, defaults, patches, server-side
 * apply, OpenAPI and the protobuf codec all read it. Built-in kinds come from generated facts.
 */
export interface SchemaModel {
  /** The type with this name, such as "core/v1.PodSpec". @throws RangeError for an unknown name */
  struct(name: string): StructType;
  /** The top-level type of a kind; `undefined` when the kind is not known. */
  root(gvk: GroupVersionKind): StructType | undefined;
  /** All kinds of the model. */
  kinds(): readonly GroupVersionKind[];
}

/** What `apiVersion` and `kind` say. */
export interface GroupVersionKind {
  /** "" for the core group. */
  group: string;
  version: string;
  kind: string;
}

/** An object type. */
export interface StructType {
  /** "core/v1.PodSpec"; the core group is spelled "core". */
  name: string;
  /** By JSON name, in declaration order; inlined Go structs are already merged in. */
  fields: ReadonlyMap<string, Field>;
  /** Server-side apply treats the struct as one value. */
  atomic?: boolean;
  /** Unknown fields are kept (custom resources only). */
  preserveUnknown?: boolean;
  /** Null and values of other types stay, for validation to judge (custom resources only). */
  lenient?: boolean;
}

/** A field of a struct. */
export interface Field {
  name: string;
  type: FieldType;
  required: boolean;
  /** Go `omitempty`: the zero value is not written. */
  omitEmpty: boolean;
  /** Value set when absent, from `+default` markers and enum-free constants only. */
  default?: unknown;
  /** Allowed values of a string field, or of the strings in a list. */
  enum?: readonly string[];
  /** Strategic merge: "merge", "replace", "retainKeys", or two of them joined by ",". */
  patchStrategy?: string;
  patchMergeKey?: string;
  /** A zero value differs from none (a Go pointer); else zero values with `omitEmpty` are dropped. */
  pointer?: boolean;
  /** Server-side apply treats the struct of this field as one value; `false`: unlike elsewhere. */
  atomic?: boolean;
  protobufNumber?: number;
  /** Numbers of the messages around `protobufNumber`, for fields of inlined Go structs. */
  protobufPath?: readonly number[];
  /** The list of this field is a message of its own, with the items as field 1. */
  protobufWrapped?: boolean;
}

/** The type of a value. */
export type FieldType = ScalarType | { kind: "struct"; struct: string } | ListType | MapType;

/** Values without fields of their own. "any" is free-form JSON (RawExtension, JSON, FieldsV1). */
export interface ScalarType {
  kind:
    | "string"
    | "int32"
    | "int64"
    | "float64"
    | "boolean"
    | "bytes"
    | "time"
    | "microTime"
    | "duration"
    | "quantity"
    | "intOrString"
    | "any";
}

/** A JSON array. */
export interface ListType {
  kind: "list";
  of: FieldType;
  /** As for server-side apply; absent means "atomic". */
  listType?: "atomic" | "set" | "map";
  /** For listType "map". */
  mapKeys?: readonly string[];
}

/** A JSON object with free keys. */
export interface MapType {
  kind: "map";
  of: FieldType;
  atomic?: boolean;
}
