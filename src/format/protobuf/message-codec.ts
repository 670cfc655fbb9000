import { BackwardWriter } from "./backward-writer.ts";
import { BYTES, WireReader } from "./wire-reader.ts";

/**
 * Messages by name, their fields by name: "1 string", "2 repeated Mount", "3 map string". Scalars are
 * string, bytes, bool, int32, int64, uint32, uint64, fixed64 (never repeated); whatever else is a
 * message of the table.
 */
export type MessageTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A message to be written: what is left out is not sent, which readers take as zero or empty. */
export type Outgoing<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Outgoing<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]?: Outgoing<T[Key]> | undefined }
      : T;

/**
 * Bytes of proto3 to plain objects and back. Numbers of 64 bits are doubles: beyond 2^53 they lose
 * their last digits, which the times in nanoseconds that protocols carry can bear.
 */
export interface MessageCodec {
  /** @throws ProtobufError. Unknown fields are passed over, absent ones are zero or empty. */
  decode(type: string, bytes: Uint8Array): unknown;
  encode(type: string, message: object): Buffer;
}

interface Field {
  name: string;
  number: number;
  label: "single" | "repeated" | "map";
  type: string;
}

const SCALARS: readonly string[] = [
  "string",
  "bytes",
  "bool",
  "int32",
  "int64",
  "uint32",
  "uint64",
  "fixed64",
];
const MAP_KEY = 1;
const MAP_VALUE = 2;

type Message = Record<string, unknown>;

/** Prepares the table. @throws Error for a type that it lacks */
export function createMessageCodec(table: MessageTable): MessageCodec {
  const layouts = new Map(
    Object.entries(table).map(([type, fields]) => [type, Object.entries(fields).map(fieldOf)]),
  );
  for (const { name, type } of [...layouts.values()].flat()) {
    if (!SCALARS.includes(type) && !layouts.has(type)) {
      throw new Error(`The type "${type}" of field "${name}" is not in the table`);
    }
  }
  const descending = new Map(
    Array.from(layouts, ([type, fields]) => [type, fields.toSorted((a, b) => b.number - a.number)]),
  );
  const numbered = new Map(
    Array.from(layouts, ([type, fields]) => [type, new Map(fields.map((f) => [f.number, f]))]),
  );

  const empty = (type: string): Message => {
    const entries = (layouts.get(type) ?? []).map((field) => [field.name, absent(field)] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  };
  const read = (type: string, bytes: Uint8Array): Message => {
    const message = empty(type);
    const reader = new WireReader(bytes);
    while (reader.next()) {
      const field = numbered.get(type)?.get(reader.number);
      if (!field) reader.skip();
      else if (field.label === "map") readEntry(message[field.name] as Message, field, reader);
      else if (field.label === "repeated")
        readItems(message[field.name] as unknown[], field, reader);
      else message[field.name] = readValue(field, reader);
    }
    return message;
  };
  const readValue = ({ type }: Field, reader: WireReader): unknown => {
    if (!SCALARS.includes(type)) return read(type, reader.bytes());
    return readScalar(type, reader);
  };
  const readItems = (items: unknown[], field: Field, reader: WireReader): void => {
    if (!isVarint(field) || reader.wireType !== BYTES)
      return void items.push(readValue(field, reader));
    const packed = new WireReader(reader.bytes());
    while (!packed.ended) items.push(readScalar(field.type, packed));
  };
  const readEntry = (map: Message, field: Field, reader: WireReader): void => {
    const entry = new WireReader(reader.bytes());
    let key = "";
    let value: unknown = absent({ ...field, label: "single" }) ?? empty(field.type);
    while (entry.next()) {
      if (entry.number === MAP_KEY) key = entry.text();
      else if (entry.number === MAP_VALUE) value = readValue(field, entry);
      else entry.skip();
    }
    // Not by assignment, which would treat a key "__proto__" as something else.
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  };

  const write = (writer: BackwardWriter, type: string, message: Message): void => {
    for (const field of descending.get(type) ?? []) {
      const value = message[field.name];
      if (value === undefined || value === null) continue;
      if (field.label === "map") writeMap(writer, field, value as Message);
      else if (field.label === "repeated") writeItems(writer, field, value as readonly unknown[]);
      else if (!isZero(value)) writeValue(writer, field, value);
    }
  };
  const writeValue = (writer: BackwardWriter, { number, type }: Field, value: unknown): void => {
    if (SCALARS.includes(type)) return writeScalar(writer, { number, type, value });
    const since = writer.size;
    write(writer, type, value as Message);
    writer.head(number, since);
  };
  const writeItems = (writer: BackwardWriter, field: Field, items: readonly unknown[]): void => {
    if (!isVarint(field)) {
      for (const item of items.toReversed()) writeValue(writer, field, item);
    } else if (items.length > 0) {
      const since = writer.size;
      for (const item of items.toReversed()) writer.varint(Number(item));
      writer.head(field.number, since);
    }
  };
  const writeMap = (writer: BackwardWriter, field: Field, map: Message): void => {
    for (const [key, value] of Object.entries(map).toReversed()) {
      const since = writer.size;
      writeValue(writer, { ...field, number: MAP_VALUE }, value);
      writer.text(MAP_KEY, key);
      writer.head(field.number, since);
    }
  };

  return {
    decode: (type, bytes) => read(type, bytes),
    encode(type, message) {
      const writer = new BackwardWriter();
      write(writer, type, message as Message);
      return writer.finish();
    },
  };
}

function fieldOf([name, text]: [string, string]): Field {
  const [number = "", ...words] = text.split(" ");
  const type = words.pop() ?? "";
  const label = words[0] === "repeated" || words[0] === "map" ? words[0] : "single";
  return { name, number: Number(number), label, type };
}

function isVarint({ type }: Field): boolean {
  return SCALARS.includes(type) && type !== "string" && type !== "bytes";
}

/** What a message holds when the field was not sent; undefined for a message. */
function absent({ label, type }: Field): unknown {
  if (label === "repeated") return [];
  if (label === "map") return {};
  if (type === "string") return "";
  if (type === "bytes") return new Uint8Array();
  if (type === "bool") return false;
  return SCALARS.includes(type) ? 0 : undefined;
}

function isZero(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === "" || value === 0 || value === false;
}

function readScalar(type: string, reader: WireReader): unknown {
  switch (type) {
    case "string":
      return reader.text();
    case "bytes":
      return reader.bytes();
    case "bool":
      return Number(reader.varint()) !== 0;
    case "int32":
      return Number(reader.signed()) | 0;
    case "int64":
      return Number(reader.signed());
    case "fixed64":
      return reader.fixed64();
    default:
      return Number(reader.varint());
  }
}

function writeScalar(
  writer: BackwardWriter,
  { number, type, value }: { number: number; type: string; value: unknown },
): void {
  if (type === "string") writer.text(number, value as string);
  else if (type === "bytes") writer.bytes(number, value as Uint8Array);
  else if (type === "fixed64") writer.fixed64(number, value as number);
  else if (type === "bool") writer.integer(number, value ? 1 : 0);
  else writer.integer(number, value as number);
}
