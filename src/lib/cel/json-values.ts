import { parseDuration, parseTimestamp } from "./functions/time-text.ts";
import { CelError } from "./source-errors.ts";
import { type ListType, type ObjectType, type Type, DYN } from "./types.ts";
import {
  ArrayList,
  Duration,
  ListValue,
  MapValue,
  Timestamp,
  type Value,
  valuesEqual,
} from "./values.ts";

/** JSON as expressions see it. Objects and lists are looked into only when asked. */
export function valueOfJson(json: unknown, type: Type): Value {
  switch (type.kind) {
    case "string":
      if (typeof json === "string") return json;
      break;
    case "bool":
      if (typeof json === "boolean") return json;
      break;
    case "int":
      if (typeof json === "bigint") return json;
      if (typeof json === "number" && Number.isInteger(json)) return BigInt(json);
      break;
    case "double":
      if (typeof json === "number") return json;
      if (typeof json === "bigint") return Number(json);
      break;
    case "object":
      if (isObject(json)) return new JsonObject(json, type);
      break;
    case "map":
      if (isObject(json)) return new JsonMap(json, type.value);
      break;
    case "list":
      if (Array.isArray(json)) return new JsonList(json, type);
      break;
    case "bytes":
    case "timestamp":
    case "duration":
      if (typeof json === "string") return textValue(json, type.kind);
      break;
    default:
      return untypedValue(json);
  }
  if (json === null) return null;
  throw new CelError(`invalid data, expected ${type.kind}, got ${typeof json}`);
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function textValue(text: string, kind: "bytes" | "timestamp" | "duration"): Value {
  if (kind === "bytes") {
    try {
      return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    } catch {
      throw new CelError(`Invalid byte formatted string ${text}`);
    }
  }
  if (kind === "duration") {
    const nanos = parseDuration(text);
    if (nanos === undefined) throw new CelError(`Invalid duration ${text}`);
    return new Duration(nanos);
  }
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const nanos = parseTimestamp(isDate ? `${text}T00:00:00Z` : text);
  if (nanos === undefined) throw new CelError(`Invalid date-time formatted string ${text}`);
  return new Timestamp(nanos);
}

/** A whole number is an int: JSON in JavaScript does not tell 1 from 1.0. */
function untypedValue(json: unknown): Value {
  if (typeof json === "number") return Number.isInteger(json) ? BigInt(json) : json;
  if (Array.isArray(json)) return new JsonList(json, ANY_LIST);
  if (isObject(json)) return new JsonMap(json, DYN);
  return json === undefined ? null : (json as Value);
}

const ANY_LIST: ListType = { kind: "list", of: DYN };

/** A JSON object with free keys. */
class JsonMap extends MapValue {
  readonly #json: Readonly<Record<string, unknown>>;
  readonly #value: Type;

  constructor(json: Readonly<Record<string, unknown>>, value: Type) {
    super();
    this.#json = json;
    this.#value = value;
  }

  get size(): number {
    let count = 0;
    for (const key in this.#json) if (this.#json[key] !== undefined) count++;
    return count;
  }

  get(key: Value): Value | undefined {
    if (typeof key !== "string" || !Object.hasOwn(this.#json, key)) return undefined;
    const json = this.#json[key];
    return json === undefined ? undefined : valueOfJson(json, this.#value);
  }

  *keys(): Iterable<Value> {
    for (const key in this.#json) if (this.#json[key] !== undefined) yield key;
  }
}

/** A JSON object with declared fields; others are not seen, and null is as good as absent. */
class JsonObject extends MapValue {
  readonly #json: Readonly<Record<string, unknown>>;
  readonly #type: ObjectType;

  constructor(json: Readonly<Record<string, unknown>>, type: ObjectType) {
    super();
    this.#json = json;
    this.#type = type;
  }

  get size(): number {
    let count = 0;
    for (const _ of this.keys()) count++;
    return count;
  }

  get(key: Value): Value | undefined {
    const field = typeof key === "string" ? this.#type.fields.get(key) : undefined;
    if (!field || !Object.hasOwn(this.#json, field.name)) return undefined;
    const json = this.#json[field.name];
    return json === undefined || json === null ? undefined : valueOfJson(json, field.type);
  }

  *keys(): Iterable<Value> {
    for (const [key, { name }] of this.#type.fields) {
      if (Object.hasOwn(this.#json, name) && (this.#json[name] ?? null) !== null) yield key;
    }
  }
}

/** A JSON array. Sets and lists with keys are equal in any order, and `+` merges them. */
class JsonList extends ListValue {
  readonly #json: readonly unknown[];
  readonly #type: ListType;

  constructor(json: readonly unknown[], type: ListType) {
    super();
    this.#json = json;
    this.#type = type;
  }

  get size(): number {
    return this.#json.length;
  }

  at(index: number): Value {
    return valueOfJson(this.#json[index], this.#type.of);
  }

  override equals(other: ListValue): boolean {
    if (!this.#type.items) return super.equals(other);
    if (this.size !== other.size) return false;
    const rest = [...other];
    for (const item of this) {
      const at = rest.findIndex((each) => valuesEqual(each, item));
      if (at < 0) return false;
      rest.splice(at, 1);
    }
    return true;
  }

  override concat(other: ListValue): ListValue {
    const { items } = this.#type;
    if (!items) return super.concat(other);
    const merged = [...this];
    for (const item of other) {
      const at = merged.findIndex((each) => {
        return items === "set" ? valuesEqual(each, item) : sameKeys(each, item, items.keys);
      });
      if (at < 0) merged.push(item);
      else if (items !== "set") merged[at] = item;
    }
    return new ArrayList(merged);
  }
}

function sameKeys(a: Value, b: Value, keys: readonly string[]): boolean {
  if (!(a instanceof MapValue) || !(b instanceof MapValue)) return false;
  return keys.every((key) => valuesEqual(a.get(key) ?? null, b.get(key) ?? null));
}
