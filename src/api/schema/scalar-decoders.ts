import { canonicalQuantity, QuantityError } from "../../lib/quantity.ts";
import type { ScalarType } from "./model.ts";

/** A value that its type cannot hold. */
export class ValueError extends Error {
  /** Go type for "cannot unmarshal <message> into ..."; absent when the message is complete. */
  readonly goType: string | undefined;

  constructor(message: string, goType?: string) {
    super(message);
    this.name = "ValueError";
    this.goType = goType;
  }
}

/** Checks and canonicalises a value other than `null`. @throws ValueError */
export const SCALAR_DECODERS: Readonly<Record<ScalarType["kind"], (value: unknown) => unknown>> = {
  string: (value) => (typeof value === "string" ? value : mismatch(value, "string")),
  boolean: (value) => (typeof value === "boolean" ? value : mismatch(value, "bool")),
  int32: decodeInt32,
  int64: decodeInt64,
  float64: (value) => {
    if (typeof value === "bigint") return Number(value);
    if (typeof value !== "number") return mismatch(value, "float64");
    if (!Number.isFinite(value)) throw new ValueError("number", "float64");
    return value;
  },
  bytes: decodeBytes,
  time: decodeTime,
  microTime: decodeMicroTime,
  duration: decodeDuration,
  quantity: decodeQuantity,
  intOrString: decodeIntOrString,
  any: (value) => value,
};

/** How Go names what it found: a number that does not fit is quoted. */
function mismatch(value: unknown, goType: string): never {
  if (Array.isArray(value)) throw new ValueError("array", goType);
  if (typeof value === "boolean") throw new ValueError("bool", goType);
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw new ValueError(typeof value, goType);
  }
  throw new ValueError(goType.startsWith("int") ? `number ${value}` : "number", goType);
}

function decodeInt32(value: unknown): number {
  if (typeof value === "number" && (value | 0) === value) return value;
  return mismatch(value, "int32");
}

const INT64_LIMIT = 2n ** 63n;

function decodeInt64(value: unknown): number | bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (typeof value === "bigint" && value < INT64_LIMIT && value >= -INT64_LIMIT) return value;
  return mismatch(value, "int64");
}

function decodeIntOrString(value: unknown): number | string {
  return typeof value === "string" ? value : decodeInt32(value);
}

function decodeBytes(value: unknown): string {
  if (typeof value !== "string") return mismatch(value, "[]uint8");
  const text = /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, "") : value;
  const bad = /[^A-Za-z0-9+/]/.exec(text.replace(/={1,2}$/, ""));
  if (bad) throw new ValueError(`illegal base64 data at input byte ${bad.index}`);
  if (text.length % 4 !== 0) {
    throw new ValueError(`illegal base64 data at input byte ${text.length - (text.length % 4)}`);
  }
  if (!text.endsWith("=")) return text;
  // Bits behind the last byte are ignored, and not kept.
  return text.slice(0, -4) + Buffer.from(text.slice(-4), "base64").toString("base64");
}

function decodeQuantity(value: unknown): string {
  const text = typeof value === "number" || typeof value === "bigint" ? `${value}` : value;
  if (typeof text !== "string") return mismatch(value, "string");
  try {
    return canonicalQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) throw new ValueError(error.message);
    throw error;
  }
}

const RFC3339 =
  /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/;

/** A time as it is written here, on a day that every month has: there is nothing to read in it. */
const CANONICAL_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

function decodeTime(value: unknown): string {
  if (typeof value === "string" && CANONICAL_TIME.test(value)) return value;
  const { seconds } = parseTime(value, "2006-01-02T15:04:05Z07:00");
  return seconds;
}

function decodeMicroTime(value: unknown): string {
  const { seconds, fraction } = parseTime(value, "2006-01-02T15:04:05.000000Z07:00");
  return `${seconds.slice(0, -1)}.${fraction.padEnd(6, "0").slice(0, 6)}Z`;
}

/** @param layout Go's name of the format, for the message */
function parseTime(value: unknown, layout: string): { seconds: string; fraction: string } {
  if (typeof value !== "string") return mismatch(value, "string");
  const match = RFC3339.exec(value);
  const [, date, time, fraction = "", zone = "Z"] = match ?? [];
  const millis = match ? Date.parse(`${date}T${time}${zone}`) : Number.NaN;
  if (!match || Number.isNaN(millis) || !isCalendarDate(date ?? "")) {
    throw new ValueError(
      `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(value)} as "2006"`,
    );
  }
  const isUtc = zone === "Z" && date !== undefined && time !== undefined;
  const seconds = isUtc ? `${date}T${time}Z` : new Date(millis).toISOString().replace(/\.\d+/, "");
  return { seconds, fraction };
}

/** `Date.parse` lets 30 February pass as 1 March. */
function isCalendarDate(date: string): boolean {
  if (Number(date.slice(8)) <= 28) return true;
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}

function decodeDuration(value: unknown): string {
  if (typeof value !== "string") return mismatch(value, "string");
  if (!/^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.test(value)) {
    throw new ValueError(`time: invalid duration ${JSON.stringify(value)}`);
  }
  return value;
}
