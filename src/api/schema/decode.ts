import { StatusError } from "../errors.ts";
import type { Field, FieldType, SchemaModel, StructType } from "./model.ts";
import { type SchemaUnion, schemaUnionOf } from "./schema-union.ts";
import { SCALAR_DECODERS, ValueError } from "./scalar-decoders.ts";

/** A decoded object and what was wrong with its input. */
export interface Decoded {
  /** The value given, changed in place: fields cleaned, unknown ones removed. */
  object: Record<string, unknown>;
  /** Paths of the fields that the type does not have, such as "spec.containers[0].imag". */
  unknownFields: string[];
  /** Values of the wrong type, worded as Go does; the request is a BadRequest when there is one. */
  errors: string[];
}

/** Decodes values into the types of a model. */
export interface Decoder {
  /**
   * Checks and cleans a parsed value in place, so the caller must own it: `null` and empty
   * optional values go as Go drops them, quantities and times become canonical.
   * @param struct such as "core/v1.Pod"
   */
  decode(struct: string, value: unknown, options?: DecodeOptions): Decoded;
}

export interface DecodeOptions {
  /** Path of the value within its object, for messages; "" for a whole object. */
  path?: string;
}

/** Refuses a body for its unknown and repeated fields; each message names one. */
export function strictDecodingError(messages: readonly string[]): StatusError {
  return new StatusError("BadRequest", `strict decoding error: ${messages.join(", ")}`);
}

/** Makes a decoder; types are compiled to closures when first met, so share one for a model. */
export function createDecoder(model: SchemaModel): Decoder {
  const compiler = new Compiler(model);
  return {
    decode(struct, value, options = {}) {
      const context: Context = {
        unknownFields: [],
        errors: [],
        path: options.path ? [options.path] : [],
        struct: "",
      };
      const object = compiler.struct(struct)(value, context);
      return {
        object: (object ?? {}) as Record<string, unknown>,
        unknownFields: context.unknownFields,
        errors: context.errors,
      };
    },
  };
}

interface Context {
  unknownFields: string[];
  errors: string[];
  /** Names of fields and map keys, and indices as "[0]". */
  path: string[];
  /** Name of the struct being decoded. */
  struct: string;
}

/** Answers the cleaned value; the same one when nothing changed, `undefined` to drop it. */
type Decode = (value: unknown, context: Context) => unknown;

const SCHEMA = "apiextensions/v1.JSONSchemaProps";

interface FieldPlan {
  decode: Decode;
  dropsZero: boolean;
  keepsNull: boolean;
}

class Compiler {
  readonly #model: SchemaModel;
  readonly #structs = new Map<string, Decode>();

  constructor(model: SchemaModel) {
    this.#model = model;
  }

  struct(name: string): Decode {
    const known = this.#structs.get(name);
    if (known) return known;
    const compiled = this.#compileStruct(this.#model.struct(name));
    this.#structs.set(name, compiled);
    return compiled;
  }

  #compileStruct(struct: StructType): Decode {
    const goName = struct.name.slice(struct.name.lastIndexOf(".") + 1);
    const plans = new Map<string, FieldPlan>();
    const planOf = (key: string): FieldPlan | undefined => {
      const known = plans.get(key);
      if (known) return known;
      const field = struct.fields.get(key);
      if (!field) return undefined;
      const union = schemaUnionOf(struct.name, key);
      const plan = this.#plan(field, { lenient, union });
      plans.set(key, plan);
      return plan;
    };
    const keepsUnknown = struct.preserveUnknown === true;
    const lenient = struct.lenient === true;
    return (value, context) => {
      if (!isObject(value)) {
        return lenient ? value : wrongType(value, goTypeOf(struct.name), context);
      }
      const outer = context.struct;
      context.struct = goName;
      for (const key in value) {
        const plan = planOf(key);
        if (!plan) {
          if (!keepsUnknown) dropUnknown(value, key, context);
          continue;
        }
        const before = value[key];
        if (before === null) {
          if (!plan.keepsNull) delete value[key];
          continue;
        }
        context.path.push(key);
        const after = plan.decode(before, context);
        context.path.pop();
        if (after === undefined) delete value[key];
        else if (plan.dropsZero && isZero(after)) delete value[key];
        else if (after !== before) value[key] = after;
      }
      context.struct = outer;
      return value;
    };
  }

  #plan(
    field: Field,
    { lenient, union }: { lenient: boolean; union: SchemaUnion | undefined },
  ): FieldPlan {
    const { type } = field;
    // Metadata of a custom resource is as strict as that of any other.
    const strict = type.kind === "struct" && !this.#model.struct(type.struct).lenient;
    return {
      keepsNull: lenient && !strict,
      decode: union ? this.#compileUnion(type, union) : this.#compile(type, lenient),
      dropsZero: field.omitEmpty && !field.pointer && !isGoStruct(type) && !says(field),
    };
  }

  #compile(type: FieldType, lenient: boolean): Decode {
    if (type.kind === "struct") {
      const { struct } = type;
      return (value, context) => this.struct(struct)(value, context);
    }
    if (type.kind === "list") return this.#compileList(type.of, lenient);
    if (type.kind === "map") return this.#compileMap(type.of, lenient);
    return compileScalar(type.kind);
  }

  /** What is none of the forms goes unread, as in Go, where only a boolean is insisted on. */
  #compileUnion(type: FieldType, union: SchemaUnion): Decode {
    if (type.kind === "map") {
      return this.#mapOf(this.#compileUnion(type.of, union), { of: type.of, lenient: false });
    }
    const schema: Decode = (value, context) => this.struct(SCHEMA)(value, context);
    const texts = this.#compileList({ kind: "string" }, false);
    const schemas = this.#compileList({ kind: "struct", struct: SCHEMA }, false);
    return (value, context) => {
      if (isObject(value)) return schema(value, context);
      if (union === "list") return Array.isArray(value) ? schemas(value, context) : undefined;
      if (union === "strings") return Array.isArray(value) ? texts(value, context) : undefined;
      if (typeof value === "boolean") return value;
      context.errors.push("boolean or JSON schema expected");
      return undefined;
    };
  }

  #compileList(of: FieldType, lenient: boolean): Decode {
    const decode = this.#compile(of, lenient);
    const goName = `[]${goNameOf(of)}`;
    const zero = lenient ? () => null : zeroOf(of);
    return (value, context) => {
      if (!Array.isArray(value)) return lenient ? value : wrongType(value, goName, context);
      for (let index = 0; index < value.length; index++) {
        const before: unknown = value[index];
        context.path.push(`[${index}]`);
        const after = before === null ? zero() : decode(before, context);
        context.path.pop();
        if (after !== before) value[index] = after === undefined ? zero() : after;
      }
      return value;
    };
  }

  #compileMap(of: FieldType, lenient: boolean): Decode {
    return this.#mapOf(this.#compile(of, lenient), { of, lenient });
  }

  #mapOf(decode: Decode, { of, lenient }: { of: FieldType; lenient: boolean }): Decode {
    const goName = `map[string]${goNameOf(of)}`;
    const zero = lenient ? () => null : zeroOf(of);
    return (value, context) => {
      if (!isObject(value)) return lenient ? value : wrongType(value, goName, context);
      for (const key in value) {
        const before = value[key];
        if (typeof before === "string" && of.kind === "string") continue;
        context.path.push(key);
        const after = before === null ? zero() : decode(before, context);
        context.path.pop();
        if (after !== before) value[key] = after === undefined ? zero() : after;
      }
      return value;
    };
  }
}

function compileScalar(kind: keyof typeof SCALAR_DECODERS): Decode {
  const decode = SCALAR_DECODERS[kind];
  return (value, context) => {
    try {
      return decode(value);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      context.errors.push(
        error.goType ? mismatch(error.message, error.goType, context) : error.message,
      );
      return undefined;
    }
  };
}

/** An empty list of managers is a wish: that all be forgotten. */
function says({ name, type }: Field): boolean {
  return name === "managedFields" && type.kind === "list";
}

/** Go never takes a struct for empty; free-form JSON is held in one. */
function isGoStruct({ kind }: FieldType): boolean {
  return kind === "struct" || kind === "any";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Zero as `encoding/json` sees it: an empty list or map, "", 0 or false. */
function isZero(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return value === "";
    case "number":
      return value === 0;
    case "boolean":
      return !value;
    case "object":
      if (Array.isArray(value)) return value.length === 0;
      for (const _ in value as object) return false;
      return true;
    default:
      return false;
  }
}

function zeroOf(type: FieldType): () => unknown {
  switch (type.kind) {
    case "struct":
      return () => ({});
    case "string":
    case "bytes":
      return () => "";
    case "int32":
    case "int64":
    case "float64":
    case "intOrString":
      return () => 0;
    case "boolean":
      return () => false;
    case "quantity":
      return () => "0";
    default:
      return () => null;
  }
}

function dropUnknown(object: Record<string, unknown>, key: string, context: Context): void {
  delete object[key];
  context.unknownFields.push(pathText([...context.path, key]));
}

function pathText(path: readonly string[]): string {
  let text = "";
  for (const part of path) text += text === "" || part.startsWith("[") ? part : `.${part}`;
  return text;
}

function wrongType(value: unknown, goType: string, context: Context): undefined {
  const name = Array.isArray(value) ? "array" : jsonNameOf(value);
  context.errors.push(mismatch(name, goType, context));
  return undefined;
}

function jsonNameOf(value: unknown): string {
  if (typeof value === "bigint") return "number";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** Go names the innermost struct and the fields, without indices, down to the value. */
function mismatch(value: string, goType: string, context: Context): string {
  const fields = context.path.filter((part) => !part.startsWith("["));
  if (fields.length === 0) return `json: cannot unmarshal ${value} into Go value of type ${goType}`;
  const where = `${context.struct}.${fields.join(".")}`;
  return `json: cannot unmarshal ${value} into Go struct field ${where} of type ${goType}`;
}

const GO_NAMES: Readonly<Record<string, string>> = {
  boolean: "bool",
  bytes: "[]uint8",
  time: "v1.Time",
  microTime: "v1.MicroTime",
  duration: "v1.Duration",
  quantity: "resource.Quantity",
  intOrString: "intstr.IntOrString",
  any: "interface {}",
};

function goNameOf(type: FieldType): string {
  if (type.kind === "struct") return goTypeOf(type.struct);
  if (type.kind === "list") return `[]${goNameOf(type.of)}`;
  if (type.kind === "map") return `map[string]${goNameOf(type.of)}`;
  return GO_NAMES[type.kind] ?? type.kind;
}

/** "core/v1.Pod" is `v1.Pod`. */
function goTypeOf(struct: string): string {
  return struct.slice(struct.indexOf("/") + 1);
}
