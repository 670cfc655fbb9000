/** A type as the checker sees it. "dyn" is gradual: it goes with everything, checked at run time. */
export type Type =
  | { readonly kind: SimpleKind }
  | ListType
  | { readonly kind: "map"; readonly key: Type; readonly value: Type }
  | ObjectType
  | { readonly kind: "opaque"; readonly name: string; readonly params: readonly Type[] }
  | { readonly kind: "type"; readonly of: Type }
  | { readonly kind: "param"; readonly name: string };

export type SimpleKind =
  | "dyn"
  | "error"
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration";

/** A list. Of JSON also how its items are told apart, which decides `==` and `+`. */
export interface ListType {
  readonly kind: "list";
  readonly of: Type;
  readonly items?: "set" | { readonly keys: readonly string[] };
}

/** An object with declared fields. */
export interface ObjectType {
  readonly kind: "object";
  readonly name: string;
  /** By the identifier that expressions use. */
  readonly fields: ReadonlyMap<string, ObjectField>;
}

/** A field: its name in JSON, which an identifier may have to escape, and its type. */
export interface ObjectField {
  readonly name: string;
  readonly type: Type;
}

export const DYN: Type = { kind: "dyn" };
export const ERROR: Type = { kind: "error" };
export const NULL: Type = { kind: "null" };
export const BOOL: Type = { kind: "bool" };
export const INT: Type = { kind: "int" };
export const UINT: Type = { kind: "uint" };
export const DOUBLE: Type = { kind: "double" };
export const STRING: Type = { kind: "string" };
export const BYTES: Type = { kind: "bytes" };
export const TIMESTAMP: Type = { kind: "timestamp" };
export const DURATION: Type = { kind: "duration" };

const SIMPLE: Readonly<Record<string, Type>> = {
  dyn: DYN,
  null: NULL,
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  timestamp: TIMESTAMP,
  duration: DURATION,
};
const LONG_NAMES: Readonly<Record<string, string>> = {
  null: "null_type",
  timestamp: "google.protobuf.Timestamp",
  duration: "google.protobuf.Duration",
};
const OPTIONAL = "optional_type";

export function listOf(of: Type): ListType {
  return { kind: "list", of };
}

export function mapOf(key: Type, value: Type): Type {
  return { kind: "map", key, value };
}

export function optionalOf(of: Type): Type {
  return { kind: "opaque", name: OPTIONAL, params: [of] };
}

/** An object type from plain entries, all of them named as they are. */
export function objectOf(name: string, fields: Readonly<Record<string, Type>>): ObjectType {
  const entries = Object.entries(fields).map(([field, type]): [string, ObjectField] => [
    field,
    { name: field, type },
  ]);
  return { kind: "object", name, fields: new Map(entries) };
}

/** What an optional holds; undefined for every other type. */
export function unwrapOptional(type: Type): Type | undefined {
  return type.kind === "opaque" && type.name === OPTIONAL ? type.params[0] : undefined;
}

export function isDynOrError(type: Type): boolean {
  return type.kind === "dyn" || type.kind === "error";
}

/** The type as messages show it: "list(int)". */
export function typeText(type: Type): string {
  switch (type.kind) {
    case "list":
      return `list(${typeText(type.of)})`;
    case "map":
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case "object":
      return type.name;
    case "opaque":
      if (type.params.length === 0) return type.name;
      return `${type.name}(${type.params.map(typeText).join(", ")})`;
    case "type":
      return `type(${typeText(type.of)})`;
    case "param":
      return type.name;
    default:
      return type.kind === "error" ? "!error!" : type.kind;
  }
}

/** Name of the type without what it holds, as `type(x)` gives it. */
export function typeName(type: Type): string {
  if (type.kind === "opaque" || type.kind === "object" || type.kind === "param") return type.name;
  return LONG_NAMES[type.kind] ?? type.kind;
}

/** Bindings of type parameters, grown by `assignable`. */
export type Bindings = Map<string, Type>;

/** The type with its parameters replaced; unbound ones stay, or become "dyn" with `toDyn`. */
export function substitute(bindings: Bindings, type: Type, toDyn = false): Type {
  switch (type.kind) {
    case "param": {
      const bound = bindings.get(type.name);
      if (bound) return substitute(bindings, bound, toDyn);
      return toDyn ? DYN : type;
    }
    case "list": {
      const of = substitute(bindings, type.of, toDyn);
      return of === type.of ? type : { ...type, of };
    }
    case "map": {
      const key = substitute(bindings, type.key, toDyn);
      const value = substitute(bindings, type.value, toDyn);
      return key === type.key && value === type.value ? type : { kind: "map", key, value };
    }
    case "opaque": {
      if (type.params.length === 0) return type;
      const params = type.params.map((param) => substitute(bindings, param, toDyn));
      return { kind: "opaque", name: type.name, params };
    }
    case "type":
      return { kind: "type", of: substitute(bindings, type.of, toDyn) };
    default:
      return type;
  }
}

/** Whether a value of type `from` may stand where `to` is wanted; binds parameters on the way. */
export function assignable(bindings: Bindings, from: Type, to: Type): boolean {
  const a = substitute(bindings, from);
  const b = substitute(bindings, to);
  if (b.kind === "param") return bind(bindings, b, a);
  if (a.kind === "param") return bind(bindings, a, b);
  if (isDynOrError(a) || isDynOrError(b)) return true;
  if (a.kind === "null" || b.kind === "null") return isNullable(a) && isNullable(b);
  if (a.kind === "list" && b.kind === "list") return assignable(bindings, a.of, b.of);
  if (a.kind === "map" && b.kind === "map") {
    return assignable(bindings, a.key, b.key) && assignable(bindings, a.value, b.value);
  }
  if (a.kind === "type" && b.kind === "type") return true;
  if (a.kind === "opaque" && b.kind === "opaque") {
    if (a.name !== b.name || a.params.length !== b.params.length) return false;
    return a.params.every((param, at) => assignable(bindings, param, b.params[at] ?? DYN));
  }
  if (a.kind === "object" && b.kind === "object") return a.name === b.name;
  return a.kind === b.kind;
}

const NULLABLE: ReadonlySet<string> = new Set([
  "null",
  "object",
  "opaque",
  "timestamp",
  "duration",
]);

function isNullable(type: Type): boolean {
  return NULLABLE.has(type.kind);
}

function bind(bindings: Bindings, param: { name: string }, type: Type): boolean {
  if (type.kind === "param" && type.name === param.name) return true;
  if (occurs(param.name, type)) return false;
  if (type.kind !== "error") bindings.set(param.name, type);
  return true;
}

function occurs(name: string, type: Type): boolean {
  switch (type.kind) {
    case "param":
      return type.name === name;
    case "list":
    case "type":
      return occurs(name, type.of);
    case "map":
      return occurs(name, type.key) || occurs(name, type.value);
    case "opaque":
      return type.params.some((param) => occurs(name, param));
    default:
      return false;
  }
}

/** Whether both are the same type, parameters and all. */
export function sameType(a: Type, b: Type): boolean {
  return a === b || typeText(a) === typeText(b);
}

/** What two types have in common, for items of a literal: the wider one, or "dyn". */
export function joinTypes(bindings: Bindings, previous: Type | undefined, current: Type): Type {
  if (!previous) return current;
  const trial: Bindings = new Map(bindings);
  if (assignable(trial, previous, current)) {
    for (const [name, type] of trial) bindings.set(name, type);
    return isDynOrError(previous) ? previous : current;
  }
  return DYN;
}

/**
 * Reads the notation of function tables: "list<A>", "map<string, dyn>", "optional<T>", "type<A>",
 * single capitals for parameters, any other name for an opaque type. @throws SyntaxError
 */
export function parseType(text: string): Type {
  const reader = { text, at: 0 };
  const type = readType(reader);
  if (reader.at !== text.length) throw new SyntaxError(`cannot read the type "${text}"`);
  return type;
}

interface TypeReader {
  text: string;
  at: number;
}

function readType(reader: TypeReader): Type {
  const name = /^\s*([\w.]+)/.exec(reader.text.slice(reader.at));
  if (!name) throw new SyntaxError(`cannot read the type "${reader.text}"`);
  reader.at += name[0].length;
  const params: Type[] = [];
  if (reader.text[reader.at] === "<") {
    do {
      reader.at++;
      params.push(readType(reader));
    } while (reader.text[reader.at] === ",");
    if (reader.text[reader.at++] !== ">") {
      throw new SyntaxError(`cannot read the type "${reader.text}"`);
    }
  }
  const [, plain = ""] = name;
  const [first = DYN, second = DYN] = params;
  if (plain === "list") return listOf(first);
  if (plain === "map") return mapOf(first, second);
  if (plain === "optional") return optionalOf(first);
  if (plain === "type") return { kind: "type", of: first };
  if (/^[A-Z]$/.test(plain)) return { kind: "param", name: plain };
  return SIMPLE[plain] ?? { kind: "opaque", name: plain, params };
}
