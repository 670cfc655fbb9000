import { lengthOf } from "../code-points.ts";
import { type Overloads, overload } from "../overload.ts";
import { CelError } from "../source-errors.ts";
import {
  Duration,
  type ListValue,
  type MapValue,
  sizeOfValue,
  Timestamp,
  TypeValue,
  typeOfValue,
  Uint,
  type Value,
} from "../values.ts";
import { checkedInt, checkedTime, checkedUint } from "./operators.ts";
import {
  dateIn,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
} from "./time-text.ts";

const TRAVERSAL = 0.1;
const traverse = ([text = null]: readonly Value[]): number => sizeOfValue(text) * TRAVERSAL;
const same = <T extends Value>(value: T): T => value;

/** A double as Go writes it with %g: an exponent below 1e-4 and from 1e21 on. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 21) {
    return value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });
  }
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits}e${exponent < 0 ? "-" : "+"}${size}`;
}

function truncated(value: number): bigint {
  if (!Number.isFinite(value)) throw new CelError("integer overflow");
  const whole = BigInt(Math.trunc(value));
  // The smallest int is refused, too: the doubles around it are not told apart.
  if (whole === -(2n ** 63n)) throw new CelError("integer overflow");
  return whole;
}

function intOf(text: string): bigint {
  if (!/^[+-]?[0-9]+$/.test(text)) throw conversion("string", "int");
  return checkedInt(BigInt(text.replace(/^\+/, "")));
}

function uintOf(text: string): Uint {
  if (!/^[0-9]+$/.test(text)) throw conversion("string", "uint");
  return checkedUint(BigInt(text));
}

function doubleOf(text: string): number {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) {
    throw conversion("string", "double");
  }
  return Number(text);
}

function boolOf(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw conversion("string", "bool");
}

function conversion(from: string, to: string): CelError {
  return new CelError(`type conversion error from '${from}' to '${to}'`);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

function durationOf(text: string): Duration {
  const nanos = parseDuration(text);
  if (nanos === undefined) throw conversion("string", "google.protobuf.Duration");
  return new Duration(nanos);
}

function timestampOf(text: string): Timestamp {
  const nanos = parseTimestamp(text);
  if (nanos === undefined) throw conversion("string", "google.protobuf.Timestamp");
  return checkedTime(nanos);
}

const SECOND = 1_000_000_000n;

const CASTS: Overloads = [
  overload("dyn(A) -> dyn", same),
  overload("type(A) -> type<A>", (value: Value) => new TypeValue(typeOfValue(value))),
  overload("bool(bool) -> bool", same),
  overload("bool(string) -> bool", boolOf),
  overload("int(int) -> int", same),
  overload("int(uint) -> int", (value: Uint) => checkedInt(value.value)),
  overload("int(double) -> int", (value: number) => checkedInt(truncated(value))),
  overload("int(string) -> int", intOf),
  overload("int(timestamp) -> int", ({ nanos }: Timestamp) => {
    const seconds = nanos / SECOND;
    return nanos < 0n && seconds * SECOND !== nanos ? seconds - 1n : seconds;
  }),
  overload("int(duration) -> int", ({ nanos }: Duration) => nanos),
  overload("uint(uint) -> uint", same),
  overload("uint(int) -> uint", checkedUint),
  overload("uint(double) -> uint", (value: number) => checkedUint(truncated(value))),
  overload("uint(string) -> uint", uintOf),
  overload("double(double) -> double", same),
  overload("double(int) -> double", Number),
  overload("double(uint) -> double", (value: Uint) => Number(value.value)),
  overload("double(string) -> double", doubleOf),
  overload("string(string) -> string", same),
  overload("string(bool) -> string", String),
  overload("string(int) -> string", String),
  overload("string(uint) -> string", (value: Uint) => String(value.value)),
  overload("string(double) -> string", doubleText),
  overload("string(bytes) -> string", decodeText, traverse),
  overload("string(timestamp) -> string", formatTimestamp),
  overload("string(duration) -> string", formatDuration),
  overload("bytes(bytes) -> bytes", same),
  overload("bytes(string) -> bytes", (text: string) => new TextEncoder().encode(text), traverse),
  overload("duration(duration) -> duration", same),
  overload("duration(string) -> duration", durationOf),
  overload("timestamp(timestamp) -> timestamp", same),
  overload("timestamp(string) -> timestamp", timestampOf),
  overload("timestamp(int) -> timestamp", (seconds: bigint) => checkedTime(seconds * SECOND)),
];

const SIZES: Overloads = ["size(", "."].flatMap((style) => {
  const signature = (type: string) => {
    return style === "." ? `${type}.size() -> int` : `size(${type}) -> int`;
  };
  return [
    overload(signature("string"), (text: string) => BigInt(lengthOf(text))),
    overload(signature("bytes"), (bytes: Uint8Array) => BigInt(bytes.length)),
    overload(signature("list<A>"), (list: ListValue) => BigInt(list.size)),
    overload(signature("map<A, B>"), (map: MapValue) => BigInt(map.size)),
  ];
});

const DAY_MS = 86_400_000;

function dayOfYear(date: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return Math.floor((date.getTime() - start.getTime()) / DAY_MS);
}

const DATE_PARTS: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDate: (date) => date.getUTCDate(),
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

const DATES: Overloads = Object.entries(DATE_PARTS).flatMap(([name, part]) => {
  const call = (time: Timestamp, zone?: string) => BigInt(part(dateIn(time, zone)));
  return [
    overload(`timestamp.${name}() -> int`, call),
    overload(`timestamp.${name}(string) -> int`, call),
  ];
});

const SPANS: Overloads = [
  overload("duration.getHours() -> int", ({ nanos }: Duration) => nanos / (3600n * SECOND)),
  overload("duration.getMinutes() -> int", ({ nanos }: Duration) => nanos / (60n * SECOND)),
  overload("duration.getSeconds() -> int", ({ nanos }: Duration) => nanos / SECOND),
  overload("duration.getMilliseconds() -> int", ({ nanos }: Duration) => {
    return (nanos / 1_000_000n) % 1000n;
  }),
];

const TEXTS: Overloads = [
  overload(
    "string.startsWith(string) -> bool",
    (text: string, part: string) => text.startsWith(part),
    ([, part = null]) => sizeOfValue(part) * TRAVERSAL,
  ),
  overload(
    "string.endsWith(string) -> bool",
    (text: string, part: string) => text.endsWith(part),
    ([, part = null]) => sizeOfValue(part) * TRAVERSAL,
  ),
  overload(
    "string.contains(string) -> bool",
    (text: string, part: string) => text.includes(part),
    ([text = null, part = null]) => sizeOfValue(text) * sizeOfValue(part) * TRAVERSAL * TRAVERSAL,
  ),
];

/** The functions of the standard library that are no operators, but for regular expressions. */
export const CONVERSIONS: Overloads = [...CASTS, ...SIZES, ...DATES, ...SPANS, ...TEXTS];
