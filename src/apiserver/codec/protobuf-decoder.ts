import { StatusError } from "../../api/errors.ts";
import type { Field, FieldType, SchemaModel, StructType } from "../../api/schema/model.ts";
import { type SchemaUnion, schemaUnionOf } from "../../api/schema/schema-union.ts";
import { JsonSyntaxError } from "../../format/json-parser.ts";
import {
  BYTES,
  FIXED64,
  ProtobufError,
  VARINT,
  WireReader,
} from "../../format/protobuf/wire-reader.ts";
import { PROTOBUF_MAGIC } from "./protobuf-media-type.ts";
import { readMessageOf } from "./protobuf-values.ts";
import { readSchemaUnion } from "./schema-union-codec.ts";

type Json = Record<string, unknown>;

/** Deeper messages are refused, as they could only exhaust the stack. */
const DEPTH_MAX = 300;

/** Where the value of a protobuf field goes: into the object, or into an inlined message. */
type Slot = { field: Field; union: SchemaUnion | undefined } | { inlined: Slots };
type Slots = Map<number, Slot>;

/**
 * Decodes `application/vnd.kubernetes.protobuf` bodies into what the same object would be in JSON.
 * Fields are found by the numbers of the model; zero values that Go always writes are left for
 * the JSON decoder to drop.
 */
export class ProtobufDecoder {
  readonly #model: SchemaModel;
  readonly #slots = new Map<string, Slots>();
  #depth = 0;

  constructor(model: SchemaModel) {
    this.#model = model;
  }

  /** @throws StatusError BadRequest */
  decode(bytes: Uint8Array): Json {
    this.#depth = 0;
    try {
      return this.#decodeEnvelope(bytes);
    } catch (error) {
      if (!(error instanceof ProtobufError) && !(error instanceof JsonSyntaxError)) throw error;
      throw new StatusError("BadRequest", `couldn't decode the protobuf body: ${error.message}`);
    }
  }

  /** `runtime.Unknown`: the kind in clear and the object as bytes. */
  #decodeEnvelope(bytes: Uint8Array): Json {
    if (Buffer.compare(bytes.subarray(0, PROTOBUF_MAGIC.length), PROTOBUF_MAGIC) !== 0) {
      throw new ProtobufError("it does not begin with the magic number of Kubernetes");
    }
    const reader = new WireReader(bytes.subarray(PROTOBUF_MAGIC.length));
    let apiVersion = "";
    let kind = "";
    let raw: Uint8Array = new Uint8Array();
    while (reader.next()) {
      if (reader.number === 1) {
        const meta = new WireReader(reader.bytes());
        while (meta.next()) {
          if (meta.number === 1) apiVersion = meta.text();
          else if (meta.number === 2) kind = meta.text();
          else meta.skip();
        }
      } else if (reader.number === 2) raw = reader.bytes();
      else reader.skip();
    }
    return { kind, apiVersion, ...this.#struct(this.#rootOf(apiVersion, kind), raw) };
  }

  #rootOf(apiVersion: string, kind: string): StructType {
    const slash = apiVersion.indexOf("/");
    const group = slash < 0 ? "" : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    const root =
      this.#model.root({ group, version, kind }) ??
      this.#model.root({ group: "", version: "v1", kind });
    if (root) return root;
    throw new ProtobufError(`no kind "${kind}" is registered for version "${apiVersion}"`);
  }

  #struct(struct: StructType, bytes: Uint8Array): Json {
    if (++this.#depth > DEPTH_MAX) throw new ProtobufError("exceeded max depth");
    const object: Json = {};
    this.#fill(object, this.#slotsOf(struct), bytes);
    this.#depth--;
    return object;
  }

  #fill(object: Json, slots: Slots, bytes: Uint8Array): void {
    const reader = new WireReader(bytes);
    while (reader.next()) {
      const slot = slots.get(reader.number);
      if (!slot) reader.skip();
      else if ("inlined" in slot) this.#fill(object, slot.inlined, reader.bytes());
      else this.#read(object, slot, reader);
    }
  }

  #slotsOf(struct: StructType): Slots {
    const known = this.#slots.get(struct.name);
    if (known) return known;
    const root: Slots = new Map();
    this.#slots.set(struct.name, root);
    for (const field of struct.fields.values()) {
      if (field.protobufNumber === undefined) continue;
      let slots = root;
      for (const number of field.protobufPath ?? []) {
        const slot = slots.get(number);
        const inlined: Slots = slot && "inlined" in slot ? slot.inlined : new Map();
        slots.set(number, { inlined });
        slots = inlined;
      }
      const union = schemaUnionOf(struct.name, field.name);
      slots.set(field.protobufNumber, { field, union });
    }
    return root;
  }

  #read(object: Json, { field, union }: Extract<Slot, { field: Field }>, reader: WireReader): void {
    const { type, name } = field;
    if (type.kind === "list" && !field.protobufWrapped) {
      const list = (object[name] ??= []) as unknown[];
      if (reader.wireType === BYTES && WIRE_TYPES[type.of.kind] !== undefined) {
        const packed = new WireReader(reader.bytes());
        while (!packed.ended) list.push(scalarOf(type.of.kind, packed));
      } else list.push(this.#value(type.of, reader) ?? null);
    } else if (type.kind === "map") {
      const [key, value] = this.#entry(type.of, { union, bytes: reader.bytes() });
      Object.defineProperty((object[name] ??= {}) as Json, key, {
        value,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    } else {
      const value = union ? this.#union(union, reader) : this.#value(type, reader);
      if (value !== undefined) object[name] = value;
    }
  }

  #entry(
    of: FieldType,
    { union, bytes }: { union: SchemaUnion | undefined; bytes: Uint8Array },
  ): [string, unknown] {
    const reader = new WireReader(bytes);
    let key = "";
    let value: unknown;
    while (reader.next()) {
      if (reader.number === 1) key = reader.text();
      else if (reader.number === 2) {
        value = union ? this.#union(union, reader) : this.#value(of, reader);
      } else reader.skip();
    }
    return [key, value ?? absentValue(of)];
  }

  #union(union: SchemaUnion, reader: WireReader): unknown {
    const schema = this.#model.struct("apiextensions/v1.JSONSchemaProps");
    const message = new WireReader(reader.bytes());
    return readSchemaUnion(union, message, (bytes) => this.#struct(schema, bytes));
  }

  #value(type: FieldType, reader: WireReader): unknown {
    const wireType = WIRE_TYPES[type.kind] ?? BYTES;
    if (reader.wireType !== wireType) {
      throw new ProtobufError(
        `field ${reader.number} has the wire type ${reader.wireType}, not ${wireType}`,
      );
    }
    switch (type.kind) {
      case "string":
        return reader.text();
      case "bytes":
        return Buffer.from(reader.bytes()).toString("base64");
      case "struct":
        return this.#struct(this.#model.struct(type.struct), reader.bytes());
      case "list":
        return this.#wrappedList(type.of, reader.bytes());
      case "time":
      case "microTime":
      case "duration":
      case "quantity":
      case "intOrString":
      case "any":
        return readMessageOf(type.kind, new WireReader(reader.bytes()));
      default:
        return scalarOf(type.kind, reader);
    }
  }

  /** A list that is a message of its own: the value of a map, or of a named list type. */
  #wrappedList(of: FieldType, bytes: Uint8Array): unknown[] {
    const reader = new WireReader(bytes);
    const list: unknown[] = [];
    while (reader.next()) {
      if (reader.number === 1) list.push(this.#value(of, reader) ?? null);
      else reader.skip();
    }
    return list;
  }
}

/** Of kinds that are not length-delimited. */
const WIRE_TYPES: Readonly<Record<string, number>> = {
  int32: VARINT,
  int64: VARINT,
  boolean: VARINT,
  float64: FIXED64,
};

function scalarOf(kind: string, reader: WireReader): unknown {
  if (kind === "boolean") return Number(reader.varint()) !== 0;
  if (kind !== "float64") return reader.signed();
  const value = reader.double();
  if (!Number.isFinite(value)) throw new ProtobufError(`JSON has no number ${value}`);
  return value;
}

/** What Go means by an entry without a value. */
function absentValue(of: FieldType): unknown {
  if (of.kind === "string" || of.kind === "bytes") return "";
  return of.kind === "struct" ? {} : null;
}
