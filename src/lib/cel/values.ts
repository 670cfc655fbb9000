import { CelError } from "./source-errors.ts";
import { type Type, typeName } from "./types.ts";

/**
 * A value of an expression. An int is a bigint and a double a number, so that both stay exact;
 * strings, booleans and null are their own.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint
  | Uint8Array
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | ListValue
  | MapValue
  | Opaque;

/** An unsigned integer of 64 bits. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** A point in time, in nanoseconds since 1970. */
export class Timestamp {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A span of time in nanoseconds. */
export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A value that may be absent. */
export class Optional {
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

/** What `type(x)` gives. */
export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A list; implementations may make their items when asked. */
export abstract class ListValue {
  abstract readonly size: number;
  abstract at(index: number): Value;

  *[Symbol.iterator](): Iterator<Value> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }

  equals(other: ListValue): boolean {
    if (this.size !== other.size) return false;
    for (let index = 0; index < this.size; index++) {
      if (!valuesEqual(this.at(index), other.at(index))) return false;
    }
    return true;
  }

  concat(other: ListValue): ListValue {
    return new ArrayList([...this, ...other]);
  }
}

/** A map or an object. */
export abstract class MapValue {
  abstract readonly size: number;
  abstract get(key: Value): Value | undefined;
  abstract keys(): Iterable<Value>;

  equals(other: MapValue): boolean {
    if (this.size !== other.size) return false;
    for (const key of this.keys()) {
      const mine = this.get(key);
      const theirs = other.get(key);
      if (mine === undefined || theirs === undefined) {
        if (mine !== theirs) return false;
      } else if (!valuesEqual(mine, theirs)) return false;
    }
    return true;
  }
}

/** A value of a library: its functions know what is inside. */
export abstract class Opaque {
  abstract readonly typeName: string;
  abstract equals(other: Opaque): boolean;
}

/** A list of values that exist. */
export class ArrayList extends ListValue {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }

  get size(): number {
    return this.items.length;
  }

  at(index: number): Value {
    return this.items[index] ?? null;
  }

  override [Symbol.iterator](): Iterator<Value> {
    return this.items[Symbol.iterator]();
  }
}

/** A map that an expression built. Numbers that are equal are the same key. */
export class EntryMap extends MapValue {
  readonly #entries = new Map<string, { key: Value; value: Value }>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    const id = keyId(key);
    return id === undefined ? undefined : this.#entries.get(id)?.value;
  }

  *keys(): Iterable<Value> {
    for (const { key } of this.#entries.values()) yield key;
  }

  /** @throws CelError when the key is taken, or no value for a key */
  add(key: Value, value: Value): void {
    const id = keyId(key);
    if (id === undefined) throw new CelError(`unsupported key type: ${typeOfValue(key)}`);
    if (this.#entries.has(id)) throw new CelError(`insert failed: key ${keyText(key)} exists`);
    this.#entries.set(id, { key, value });
  }
}

function keyId(key: Value): string | undefined {
  if (typeof key === "string") return `s${key}`;
  if (typeof key === "bigint") return `n${key}`;
  if (key instanceof Uint) return `n${key.value}`;
  if (typeof key === "number") return Number.isInteger(key) ? `n${BigInt(key)}` : `n${key}`;
  return typeof key === "boolean" ? `b${key}` : undefined;
}

/** A key, index or other small value as messages show it. */
export function keyText(key: Value): string {
  if (key instanceof Uint) return String(key.value);
  return typeof key === "object" && key !== null ? typeOfValue(key) : String(key);
}

/** Name of a value's type. */
export function typeOfValue(value: Value): string {
  if (value === null) return "null_type";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "double";
  if (value instanceof ListValue) return "list";
  if (value instanceof MapValue) return "map";
  if (value instanceof Uint) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof Optional) return "optional_type";
  return value instanceof TypeValue ? "type" : value.typeName;
}

/** Whether a value is of a type; what lists and maps hold is not looked at. */
export function isOfType(value: Value, type: Type): boolean {
  switch (type.kind) {
    case "dyn":
    case "param":
    case "error":
      return true;
    case "object":
      return value instanceof MapValue;
    case "type":
      return value instanceof TypeValue;
    case "bool":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string";
    case "int":
      return typeof value === "bigint";
    case "double":
      return typeof value === "number";
    default:
      return typeOfValue(value) === typeName(type);
  }
}

/** Equality of CEL: numbers by value whatever their type, unlike types are unequal. */
export function valuesEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  if (typeof a !== "object" || typeof b !== "object") {
    return isNumber(a) && isNumber(b) && compareNumbers(a, b) === 0;
  }
  if (a instanceof ListValue) return b instanceof ListValue && a.equals(b);
  if (a instanceof MapValue) return b instanceof MapValue && a.equals(b);
  if (a instanceof Uint) return b instanceof Uint && a.value === b.value;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional) return b instanceof Optional && optionalsEqual(a, b);
  return b instanceof Opaque && a.typeName === b.typeName && a.equals(b);
}

function optionalsEqual(a: Optional, b: Optional): boolean {
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return valuesEqual(a.value, b.value);
}

export function isNumber(value: Value): value is bigint | number | Uint {
  return typeof value === "bigint" || typeof value === "number" || value instanceof Uint;
}

/** Negative, zero or positive; NaN when one of them is. */
export function compareNumbers(a: bigint | number | Uint, b: bigint | number | Uint): number {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  // As doubles when one of them is: an int next to a double may be rounded, so the specification.
  if (typeof left === "bigint" && typeof right === "bigint") {
    return left < right ? -1 : left > right ? 1 : 0;
  }
  const difference = Number(left) - Number(right);
  return Number(left) === Number(right) ? 0 : difference;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Order of strings by code point, as UTF-8 has it. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    const surrogates = left >= 0xd800 && right >= 0xd800;
    return surrogates ? rank(left) - rank(right) : left - right;
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x2000 : unit + 0x2000;
}

/** How much work a value is to go through: characters, bytes, items; 1 for everything else. */
export function sizeOfValue(value: Value): number {
  if (typeof value === "string") return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof ListValue || value instanceof MapValue) return value.size;
  return value instanceof Optional && value.value !== undefined ? sizeOfValue(value.value) : 1;
}
