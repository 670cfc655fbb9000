import { CelError } from "../source-errors.ts";
import {
  compareStrings,
  Duration,
  ListValue,
  MapValue,
  Timestamp,
  TypeValue,
  typeOfValue,
  Uint,
  type Value,
} from "../values.ts";
import { formatDuration, formatTimestamp } from "./time-text.ts";

const CLAUSE = /%(?:%|(?:\.(\d{1,3}))?([a-zA-Z]))/g;
const PRECISION_MAX = 100;

/** `"...".format([...])` of the string extensions. */
export function formatText(template: string, args: ListValue): string {
  let next = 0;
  const text = template.replace(CLAUSE, (clause, precision: string | undefined, verb?: string) => {
    if (verb === undefined) return "%";
    if (next >= args.size) throw new CelError(`index ${next} out of range`);
    const value = args.at(next++);
    const digits = precision === undefined ? undefined : Number(precision);
    if (digits !== undefined && digits > PRECISION_MAX) {
      throw new CelError(`precision ${digits} is too large, at most ${PRECISION_MAX}`);
    }
    const format = FORMATS[verb];
    if (!format) throw new CelError(`unrecognized formatting clause "${clause.slice(1)}"`);
    return format(value, digits);
  });
  if (next < args.size) {
    throw new CelError(
      `too many arguments supplied to string.format (expected ${next}, got ${args.size})`,
    );
  }
  return text;
}

type Format = (value: Value, digits: number | undefined) => string;

const FORMATS: Readonly<Record<string, Format>> = {
  s: (value) => plainText(value),
  d: (value) => {
    if (typeof value === "bigint") return String(value);
    if (value instanceof Uint) return String(value.value);
    if (typeof value === "number" && !Number.isFinite(value)) return infinite(value);
    throw wrongType("decimal", "integers", value);
  },
  f: (value, digits = 6) => {
    const number = numberOf(value, "fixed-point");
    return Number.isFinite(number) ? number.toFixed(digits) : infinite(number);
  },
  e: (value, digits = 6) => {
    const number = numberOf(value, "scientific notation");
    if (!Number.isFinite(number)) return infinite(number);
    return number.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2");
  },
  b: (value) => {
    if (typeof value === "boolean") return value ? "1" : "0";
    return integerOf(value, "binary").toString(2);
  },
  o: (value) => integerOf(value, "octal").toString(8),
  x: (value) => hexText(value),
  X: (value) => hexText(value).toUpperCase(),
};

function infinite(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}

function wrongType(clause: string, wanted: string, value: Value): CelError {
  const article = `${clause} clause can only be used on ${wanted}`;
  return new CelError(`error during formatting: ${article}, was given ${typeOfValue(value)}`);
}

function numberOf(value: Value, clause: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint) return Number(value.value);
  throw wrongType(clause, "doubles", value);
}

function integerOf(value: Value, clause: string): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Uint) return value.value;
  throw wrongType(clause, "integers", value);
}

function hexText(value: Value): string {
  if (typeof value === "string") return hexText(new TextEncoder().encode(value));
  if (value instanceof Uint8Array) {
    return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return integerOf(value, "hex").toString(16);
}

/** Any value as text; what is inside lists and maps, too. */
function plainText(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : infinite(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof ListValue) return `[${[...value].map(plainText).join(", ")}]`;
  if (value instanceof MapValue) {
    const entries = [...value.keys()].map((key): [string, string] => {
      return [plainText(key), plainText(value.get(key) ?? null)];
    });
    const sorted = entries.toSorted(([a], [b]) => compareStrings(a, b));
    return `{${sorted.map(([key, inner]) => `${key}: ${inner}`).join(", ")}}`;
  }
  const wanted =
    "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps";
  throw wrongType("string", wanted, value);
}
