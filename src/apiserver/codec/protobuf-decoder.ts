import { StatusError } from "../../api/errors.ts";
import type { Field, FieldType, SchemaModel, StructType } from "../../api/schema/model.ts";
import { BYTES, ProtobufError, WireReader } from "../../format/protobuf/wire-reader.ts";

const MAGIC = Buffer.from("k8s\0");
type Json = Record<string, unknown>;

/** Where the value of a protobuf field goes: into the object, or into an inlined message. */
type Slot = { field: Field } | { inlined: Slots };
type Slots = Map<number, Slot>;

/**
 * Decodes `application/vnd.kubernetes.protobuf` bodies into what the same object would be in JSON.
 * Fields are found by the numbers of the model; zero values that Go always writes are left for
 * the JSON decoder to drop.
 */
export class ProtobufDecoder {
  readonly #model: SchemaModel;
  readonly #slots = new Map<string, Slots>();

  constructor(model: SchemaModel) {
    this.#model = model;
  }

  /** @throws StatusError BadRequest */
  decode(bytes: Uint8Array): Json {
    try {
      return this.#decodeEnvelope(bytes);
    } catch (error) {
      if (!(error instanceof ProtobufError) && !(error instanceof SyntaxError)) throw error;
      throw new StatusError("BadRequest", `couldn't decode the protobuf body: ${error.message}`);
    }
  }

  /** `runtime.Unknown`: the kind in clear and the object as bytes. */
  #decodeEnvelope(bytes: Uint8Array): Json {
    if (Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) !== 0) {
      throw new ProtobufError("it does not begin with the magic number of Kubernetes");
    }
    const reader = new WireReader(bytes.subarray(MAGIC.length));
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
    const object: Json = {};
    this.#fill(object, this.#slotsOf(struct), bytes);
    return object;
  }

  #fill(object: Json, slots: Slots, bytes: Uint8Array): void {
    const reader = new WireReader(bytes);
    while (reader.next()) {
      const slot = slots.get(reader.number);
      if (!slot) reader.skip();
      else if ("inlined" in slot) this.#fill(object, slot.inlined, reader.bytes());
      else this.#read(object, slot.field, reader);
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
      slots.set(field.protobufNumber, { field });
    }
    return root;
  }

  #read(object: Json, field: Field, reader: WireReader): void {
    const { type, name } = field;
    if (type.kind === "list") {
      const list = (object[name] ??= []) as unknown[];
      if (reader.wireType === BYTES && PACKABLE.has(type.of.kind)) {
        const packed = new WireReader(reader.bytes());
        while (!packed.ended) list.push(this.#value(type.of, packed));
      } else list.push(this.#value(type.of, reader));
    } else if (type.kind === "map") {
      const [key, value] = this.#entry(type.of, reader.bytes());
      Object.defineProperty((object[name] ??= {}) as Json, key, {
        value,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    } else {
      const value = this.#value(type, reader);
      if (value !== undefined) object[name] = value;
    }
  }

  #entry(of: FieldType, bytes: Uint8Array): [string, unknown] {
    const reader = new WireReader(bytes);
    let key = "";
    let value: unknown;
    while (reader.next()) {
      if (reader.number === 1) key = reader.text();
      else if (reader.number === 2) value = this.#value(of, reader);
      else reader.skip();
    }
    return [key, value ?? absentValue(of)];
  }

  #value(type: FieldType, reader: WireReader): unknown {
    switch (type.kind) {
      case "string":
        return reader.text();
      case "bytes":
        return Buffer.from(reader.bytes()).toString("base64");
      case "boolean":
        return Number(reader.varint()) !== 0;
      case "int32":
      case "int64":
        return reader.signed();
      case "float64":
        return reader.double();
      case "struct":
        return this.#struct(this.#model.struct(type.struct), reader.bytes());
      case "list":
        return this.#wrappedList(type.of, reader.bytes());
      case "map":
        throw new ProtobufError("a map stands where none can");
      default:
        return MESSAGES[type.kind](new WireReader(reader.bytes()));
    }
  }

  /** A list that is a message of its own because it is the value of a map. */
  #wrappedList(of: FieldType, bytes: Uint8Array): unknown[] {
    const reader = new WireReader(bytes);
    const list: unknown[] = [];
    while (reader.next()) {
      if (reader.number === 1) list.push(this.#value(of, reader));
      else reader.skip();
    }
    return list;
  }
}

/** What Go means by an entry without a value. */
function absentValue(of: FieldType): unknown {
  if (of.kind === "string" || of.kind === "bytes") return "";
  return of.kind === "struct" ? {} : null;
}

const PACKABLE: ReadonlySet<string> = new Set(["int32", "int64", "boolean", "float64"]);

type MessageKind = "time" | "microTime" | "duration" | "quantity" | "intOrString" | "any";

/** Messages that are one value in JSON. */
const MESSAGES: Readonly<Record<MessageKind, (message: WireReader) => unknown>> = {
  time: (message) => timeText(message, "seconds"),
  microTime: (message) => timeText(message, "micros"),
  duration: (message) => {
    const [nanoseconds = 0] = numbersOf(message);
    return `${Number(nanoseconds) / 1e9}s`;
  },
  quantity: (message) => {
    let text = "0";
    while (message.next()) {
      if (message.number === 1) text = message.text() || "0";
      else message.skip();
    }
    return text;
  },
  intOrString: (message) => {
    let isText = false;
    let number: unknown = 0;
    let text = "";
    while (message.next()) {
      if (message.number === 1) isText = Number(message.varint()) === 1;
      else if (message.number === 2) number = message.signed();
      else if (message.number === 3) text = message.text();
      else message.skip();
    }
    return isText ? text : number;
  },
  any: (message) => {
    let value: unknown;
    while (message.next()) {
      if (message.number === 1) value = JSON.parse(message.text() || "null");
      else message.skip();
    }
    return value ?? undefined;
  },
};

/** Fields 1, 2, … of a message of integers. */
function numbersOf(message: WireReader): (number | bigint | undefined)[] {
  const numbers: (number | bigint | undefined)[] = [];
  while (message.next()) {
    if (message.wireType === 0) numbers[message.number - 1] = message.signed();
    else message.skip();
  }
  return numbers;
}

/** An empty message is Go's zero time: no time at all. */
function timeText(message: WireReader, precision: "seconds" | "micros"): string | undefined {
  const [seconds, nanos = 0] = numbersOf(message);
  if (seconds === undefined) return undefined;
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (precision === "seconds") return `${text}Z`;
  const micros = Math.floor(Number(nanos) / 1000);
  return `${text}.${String(micros).padStart(6, "0")}Z`;
}
