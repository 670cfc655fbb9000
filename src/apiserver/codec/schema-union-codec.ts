import type { SchemaUnion } from "../../api/schema/schema-union.ts";
import type { BackwardWriter } from "../../format/protobuf/backward-writer.ts";
import type { WireReader } from "../../format/protobuf/wire-reader.ts";

type WriteValue = (out: BackwardWriter, value: unknown) => void;

/** @param schema makes the writer of a schema as field `number` */
export function writeSchemaUnion(
  union: SchemaUnion,
  number: number,
  schema: (number: number) => WriteValue,
): WriteValue {
  const write = FORMS[union].writer(schema);
  return (out, value) => {
    const since = out.size;
    write(out, value);
    out.head(number, since);
  };
}

/** @param schema reads the message of a schema */
export function readSchemaUnion(
  union: SchemaUnion,
  message: WireReader,
  schema: (bytes: Uint8Array) => unknown,
): unknown {
  return FORMS[union].read(message, schema);
}

interface UnionForm {
  writer(schema: (number: number) => WriteValue): WriteValue;
  read(message: WireReader, schema: (bytes: Uint8Array) => unknown): unknown;
}

const FORMS: Readonly<Record<SchemaUnion, UnionForm>> = {
  list: {
    writer: (schema) => {
      const [one, many] = [schema(1), schema(2)];
      return (out, value) => {
        if (Array.isArray(value)) for (const item of value.toReversed()) many(out, item);
        else one(out, value);
      };
    },
    read: (message, schema) => {
      let value: unknown;
      const list: unknown[] = [];
      while (message.next()) {
        if (message.number === 1) value = schema(message.bytes());
        else if (message.number === 2) list.push(schema(message.bytes()));
        else message.skip();
      }
      return value ?? list;
    },
  },
  boolean: {
    writer: (schema) => {
      const write = schema(2);
      return (out, value) => {
        if (typeof value !== "boolean") write(out, value);
        out.integer(1, value === false ? 0 : 1);
      };
    },
    read: (message, schema) => {
      let value: unknown;
      let allows = false;
      while (message.next()) {
        if (message.number === 1) allows = Number(message.varint()) !== 0;
        else if (message.number === 2) value = schema(message.bytes());
        else message.skip();
      }
      return value ?? allows;
    },
  },
  strings: {
    writer: (schema) => {
      const write = schema(1);
      return (out, value) => {
        if (Array.isArray(value)) for (const text of value.toReversed()) out.text(2, String(text));
        else write(out, value);
      };
    },
    read: (message, schema) => {
      let value: unknown;
      const texts: string[] = [];
      while (message.next()) {
        if (message.number === 1) value = schema(message.bytes());
        else if (message.number === 2) texts.push(message.text());
        else message.skip();
      }
      return value ?? texts;
    },
  },
};
