import type { Field, FieldType, SchemaModel, StructType } from "../../api/schema/model.ts";
import { schemaUnionOf } from "../../api/schema/schema-union.ts";
import { BackwardWriter } from "../../format/protobuf/backward-writer.ts";
import { FIXED64 } from "../../format/protobuf/wire-reader.ts";
import { compareUtf8 } from "./compare-utf8.ts";
import { PROTOBUF_MAGIC } from "./protobuf-media-type.ts";
import { writeSchemaUnion } from "./schema-union-codec.ts";
import { NO_VALUE, writeMessageOf } from "./protobuf-values.ts";

type Json = Readonly<Record<string, unknown>>;
/** Writes the field of an object, or nothing where it is absent. */
type WriteField = (out: BackwardWriter, object: Json) => void;
/** Writes a value that is there, and the tag of its field. */
type WriteValue = (out: BackwardWriter, value: unknown) => void;

const NOTHING: Json = Object.freeze({});
/** So many items are measured before other work gets a turn. */
const ITEMS_A_TURN = 256;
const PIECE_BYTES = 64 * 1024;

/** The type of an object as it names it itself. */
interface TypeMeta {
  apiVersion: string;
  kind: string;
}

/** A list whose items are made one after another. */
export interface ProtobufList extends TypeMeta {
  metadata: object;
  size: number;
  item(index: number): object;
  /** What stands for the item for as long as it does not change. */
  key(index: number): object;
}

/**
 * Encodes objects of the model as `application/vnd.kubernetes.protobuf`, byte for byte as the
 * generated Go code does: fields in the order of their numbers, zero values written unless the Go
 * field is a pointer, map entries sorted. Types are compiled when first met; share one encoder.
 */
export class ProtobufEncoder {
  readonly #model: SchemaModel;
  readonly #structs = new Map<string, readonly WriteField[]>();
  readonly #out = new BackwardWriter();
  readonly #sizes = new Map<string, WeakMap<object, number>>();

  constructor(model: SchemaModel) {
    this.#model = model;
  }

  /** Whether objects of this kind have a protobuf form. */
  knows(of: Partial<TypeMeta>): boolean {
    return this.#rootOf(of) !== undefined;
  }

  /** An object in its envelope. @throws RangeError for a kind that is not in the model */
  encode(object: object): Buffer {
    this.#write(object as Json & TypeMeta);
    return this.#out.finish();
  }

  /** A `WatchEvent`, as it stands in the frames of a watch. @throws RangeError like `encode` */
  encodeEvent(type: string, object: object): Buffer {
    this.#write(object as Json & TypeMeta);
    const out = this.#out;
    // The object is the one field of a RawExtension, which is a field of the event.
    out.head(1, 0);
    out.head(2, 0);
    out.text(1, type);
    return out.finish();
  }

  /**
   * A list in pieces that may be sent as they come: only one item is there at a time. As the length
   * of all stands before the first, they are measured before, which is remembered of each.
   * In turns with other work, as a list may be long. @throws RangeError like `encode`
   */
  async *listPieces(list: ProtobufList): AsyncGenerator<Buffer> {
    const items = this.#root(list).fields.get("items")?.type;
    if (items?.kind !== "list") throw new RangeError(`Cannot encode a ${list.kind}: it is no list`);
    const write = this.#value(items.of, 2);
    const encode = (index: number): Buffer => {
      const out = this.#out;
      out.reset();
      write(out, list.item(index));
      return out.finish();
    };
    const sizes = this.#sizesOf(list);
    let sizeBytes = 0;
    for (let index = 0; index < list.size; index++) {
      const key = list.key(index);
      let itemBytes = sizes.get(key);
      if (itemBytes === undefined) {
        itemBytes = encode(index).byteLength;
        sizes.set(key, itemBytes);
        if (index % ITEMS_A_TURN === ITEMS_A_TURN - 1) await new Promise(setImmediate);
      }
      sizeBytes += itemBytes;
    }
    yield this.#listHead(list, sizeBytes);
    for (let index = 0; index < list.size; ) {
      const piece: Buffer[] = [];
      for (let bytes = 0; index < list.size && bytes < PIECE_BYTES; index++) {
        const item = encode(index);
        bytes += item.byteLength;
        piece.push(item);
      }
      yield Buffer.concat(piece);
      await new Promise(setImmediate);
    }
    const end = new BackwardWriter();
    beginEnvelope(end);
    yield end.finish();
  }

  /** Sizes of items in lists of this kind. */
  #sizesOf({ apiVersion, kind }: TypeMeta): WeakMap<object, number> {
    const name = `${apiVersion}/${kind}`;
    let sizes = this.#sizes.get(name);
    if (!sizes) {
      sizes = new WeakMap();
      this.#sizes.set(name, sizes);
    }
    return sizes;
  }

  /** What stands before the items, which take `itemsBytes`. */
  #listHead(list: ProtobufList, itemsBytes: number): Buffer {
    const out = new BackwardWriter();
    this.#value({ kind: "struct", struct: "meta/v1.ListMeta" }, 1)(out, list.metadata);
    endEnvelope(out, { of: list, since: -itemsBytes });
    return out.finish();
  }

  #write(object: Json & TypeMeta): void {
    const out = this.#out;
    const fields = this.#compiled(this.#root(object).name);
    out.reset();
    const since = beginEnvelope(out);
    for (const write of fields) write(out, object);
    endEnvelope(out, { of: object, since });
  }

  #root(of: TypeMeta): StructType {
    const root = this.#rootOf(of);
    if (root) return root;
    throw new RangeError(`Cannot encode a ${of.kind} of ${of.apiVersion}: it has no protobuf form`);
  }

  #rootOf({ apiVersion = "", kind = "" }: Partial<TypeMeta>): StructType | undefined {
    const slash = apiVersion.indexOf("/");
    const group = slash < 0 ? "" : apiVersion.slice(0, slash);
    return this.#model.root({ group, version: apiVersion.slice(slash + 1), kind });
  }

  #compiled(name: string): readonly WriteField[] {
    const known = this.#structs.get(name);
    if (known) return known;
    const compiled: WriteField[] = [];
    // Known before its fields are compiled, as a type may hold itself.
    this.#structs.set(name, compiled);
    const fields = [...this.#model.struct(name).fields.values()].filter(hasNumber);
    compiled.push(...this.#level(name, fields, 0));
    return compiled;
  }

  /** Fields of a message, of those inlined at `depth`, from the last number to the first. */
  #level(struct: string, fields: readonly Field[], depth: number): WriteField[] {
    const inlined = new Map<number, Field[]>();
    const writes: [number, WriteField][] = [];
    for (const field of fields) {
      const around = field.protobufPath?.[depth];
      const number = field.protobufNumber ?? 0;
      if (around === undefined) writes.push([number, this.#field(struct, field)]);
      else inlined.set(around, [...(inlined.get(around) ?? []), field]);
    }
    for (const [number, inner] of inlined) {
      const level = this.#level(struct, inner, depth + 1);
      writes.push([
        number,
        (out, object) => {
          const since = out.size;
          for (const write of level) write(out, object);
          out.head(number, since);
        },
      ]);
    }
    return writes.toSorted(([a], [b]) => b - a).map(([, write]) => write);
  }

  #field(struct: string, field: Field): WriteField {
    const { name, type, pointer, protobufNumber: number = 0 } = field;
    if (type.kind === "list" && !field.protobufWrapped) {
      return listWriter(name, this.#value(type.of, number));
    }
    const union = schemaUnionOf(struct, name);
    const writer = (of: FieldType, at: number): WriteValue =>
      union
        ? writeSchemaUnion(union, at, (inner) => this.#struct(struct, inner))
        : this.#value(of, at);
    if (type.kind === "map") return mapWriter(name, number, writer(type.of, 2));
    return scalarWriter(name, writer(type, number), pointer ? undefined : zeroOf(type));
  }

  #value(type: FieldType, number: number): WriteValue {
    switch (type.kind) {
      case "string":
        return (out, value) => out.text(number, value as string);
      case "bytes":
        return (out, value) => out.bytes(number, Buffer.from(value as string, "base64"));
      case "boolean":
        return (out, value) => out.integer(number, value === true ? 1 : 0);
      case "int32":
      case "int64":
        return (out, value) => out.integer(number, value as number);
      case "float64":
        return (out, value) => {
          out.double(Number(value));
          out.tag(number, FIXED64);
        };
      case "struct":
        return this.#struct(type.struct, number);
      case "list":
        return wrapped(this.#value(type.of, 1), number);
      case "map":
        throw new RangeError(`Cannot encode a ${type.kind} that is no field of a kind as protobuf`);
      default:
        return writeMessageOf(type.kind, number);
    }
  }

  #struct(name: string, number: number): WriteValue {
    let fields: readonly WriteField[] | undefined;
    return (out, value) => {
      fields ??= this.#compiled(name);
      const since = out.size;
      for (const write of fields) write(out, (value ?? NOTHING) as Json);
      out.head(number, since);
    };
  }
}

/** `runtime.Unknown` ends with the encoding and the type of its content, which go unsaid. */
function beginEnvelope(out: BackwardWriter): number {
  out.text(4, "");
  out.text(3, "");
  return out.size;
}

/** The rest of the envelope, around the object that was written since. */
function endEnvelope(out: BackwardWriter, { of, since }: { of: TypeMeta; since: number }): void {
  out.head(2, since);
  const meta = out.size;
  out.text(2, of.kind);
  out.text(1, of.apiVersion);
  out.head(1, meta);
  out.raw(PROTOBUF_MAGIC);
}

/** @param zero what stands for an absent value; `undefined` writes nothing for it */
function scalarWriter(name: string, write: WriteValue, zero: unknown): WriteField {
  if (zero !== undefined) return (out, object) => write(out, object[name] ?? zero);
  return (out, object) => {
    const value = object[name];
    if (value !== undefined && value !== null) write(out, value);
  };
}

function listWriter(name: string, write: WriteValue): WriteField {
  return (out, object) => {
    const list = object[name];
    if (Array.isArray(list)) writeItems(out, list, write);
  };
}

function mapWriter(name: string, number: number, write: WriteValue): WriteField {
  return (out, object) => {
    const map = object[name];
    if (typeof map !== "object" || map === null) return;
    const keys = Object.keys(map).sort(compareUtf8);
    for (let index = keys.length - 1; index >= 0; index--) {
      const key = keys[index] ?? "";
      const since = out.size;
      write(out, (map as Json)[key]);
      out.text(1, key);
      out.head(number, since);
    }
  };
}

function writeItems(out: BackwardWriter, list: readonly unknown[], write: WriteValue): void {
  for (let index = list.length - 1; index >= 0; index--) write(out, list[index]);
}

/** A list that is a message of its own. */
function wrapped(write: WriteValue, number: number): WriteValue {
  return (out, value) => {
    const since = out.size;
    if (Array.isArray(value)) writeItems(out, value, write);
    out.head(number, since);
  };
}

/** What Go writes for a field that is no pointer and was never set; `undefined`: nothing. */
function zeroOf(type: FieldType): unknown {
  switch (type.kind) {
    case "string":
      return "";
    case "boolean":
      return false;
    case "int32":
    case "int64":
    case "float64":
    case "intOrString":
      return 0;
    case "struct":
      return NOTHING;
    case "quantity":
      return "0";
    case "time":
    case "microTime":
    case "any":
      return NO_VALUE;
    default:
      return undefined;
  }
}

function hasNumber(field: Field): boolean {
  return field.protobufNumber !== undefined;
}
