import type { ScalarType } from "../../api/schema/model.ts";
import { exactJson } from "../../format/json-text.ts";
import { decodeJson } from "../../format/json-decode.ts";
import type { BackwardWriter } from "../../format/protobuf/backward-writer.ts";
import { parseDuration } from "../../lib/cel/functions/time-text.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import { ProtobufError, VARINT, type WireReader } from "../../format/protobuf/wire-reader.ts";

/** Kinds of values that are one value in JSON and a message in protobuf. */
export type MessageKind = Extract<
  ScalarType["kind"],
  "time" | "microTime" | "duration" | "quantity" | "intOrString" | "any"
>;

/** A value that is there in Go but was never set: its message has no fields. */
export const NO_VALUE: unique symbol = Symbol("no value");

interface MessageForm {
  /** `undefined` when the message says that there is no value. */
  read(message: WireReader): unknown;
  write(out: BackwardWriter, value: unknown): void;
}

const FORMS: Readonly<Record<MessageKind, MessageForm>> = {
  time: {
    read: (message) => readTime(message, "seconds"),
    write: (out, value) => {
      out.integer(2, 0);
      out.integer(1, secondsOf(value as string));
    },
  },
  microTime: {
    read: (message) => readTime(message, "micros"),
    write: (out, value) => {
      out.integer(2, microsOf(value as string) * 1000);
      out.integer(1, secondsOf(value as string));
    },
  },
  duration: {
    read: (message) => formatGoDuration(BigInt(integersOf(message)[0] ?? 0)),
    write: (out, value) => out.integer(1, parseDuration(value as string) ?? 0n),
  },
  quantity: {
    read: (message) => {
      let text = "";
      while (message.next()) {
        if (message.number === 1) text = message.text();
        else message.skip();
      }
      return text || "0";
    },
    write: (out, value) => out.text(1, String(value)),
  },
  intOrString: {
    read: readIntOrString,
    write: (out, value) => {
      const isText = typeof value === "string";
      out.text(3, isText ? value : "");
      out.integer(2, isText ? 0 : (value as number));
      out.integer(1, isText ? 1 : 0);
    },
  },
  any: {
    read: (message) => {
      let raw: Uint8Array = new Uint8Array();
      while (message.next()) {
        if (message.number === 1) raw = message.bytes();
        else message.skip();
      }
      return raw.byteLength === 0 ? undefined : decodeJson(raw).value;
    },
    write: (out, value) => out.text(1, exactJson(value)),
  },
};

/** Reads the one value that a message stands for. @throws ProtobufError | JsonSyntaxError */
export function readMessageOf(kind: MessageKind, message: WireReader): unknown {
  return FORMS[kind].read(message);
}

/** Writes values of this kind as field `number`. */
export function writeMessageOf(
  kind: MessageKind,
  number: number,
): (out: BackwardWriter, value: unknown) => void {
  const { write } = FORMS[kind];
  return (out, value) => {
    const since = out.size;
    if (value !== NO_VALUE && value !== null) write(out, value);
    out.head(number, since);
  };
}

function secondsOf(time: string): number {
  return Math.floor(Date.parse(time) / 1000);
}

function microsOf(time: string): number {
  const fraction = /\.(\d{1,6})/.exec(time)?.[1] ?? "";
  return Number(fraction.padEnd(6, "0"));
}

/** An empty message is Go's zero time: no time at all. */
function readTime(message: WireReader, precision: "seconds" | "micros"): string | undefined {
  const [seconds, nanos = 0] = integersOf(message);
  if (seconds === undefined) return undefined;
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) throw new ProtobufError(`no time has ${seconds} seconds`);
  const text = date.toISOString().slice(0, -".000Z".length);
  if (precision === "seconds") return `${text}Z`;
  const micros = Math.floor(Number(nanos) / 1000);
  return `${text}.${String(micros).padStart(6, "0")}Z`;
}

function readIntOrString(message: WireReader): unknown {
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
}

/** Fields 1, 2, … of a message of integers. */
function integersOf(message: WireReader): (number | bigint | undefined)[] {
  const numbers: (number | bigint | undefined)[] = [];
  while (message.next()) {
    if (message.wireType === VARINT && message.number <= 2) {
      numbers[message.number - 1] = message.signed();
    } else message.skip();
  }
  return numbers;
}
