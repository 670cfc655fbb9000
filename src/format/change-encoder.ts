import type { CanonicalObject } from "./json-canonical.ts";
import { exactJson } from "./json-text.ts";

/** A state of an object that is stored, and the one after it. */
export interface Change {
  /** What `spliceResourceVersion` gave of the state before. */
  bytes: Uint8Array;
  /** What these bytes say, each object with its members in their order. */
  before: CanonicalObject;
  /** Shares with `before` what stayed the same. */
  after: CanonicalObject;
  /** JSON of the managedFields of `after`. */
  managers: string;
}

/** What differs beside the metadata. */
interface Difference {
  /** The first member after the metadata. */
  first: string | undefined;
  /** The only one that changed, and the one after it. */
  changed: string | undefined;
  next: string | undefined;
}

/** What is written between `start` and `end`. */
interface Replaced {
  start: number;
  end: number;
  text: string;
}

type Members = Readonly<Record<string, unknown>>;

/** So many names are remembered. */
const MARKS_MAX = 64;
const VERSION_NAME = "resourceVersion";
const MANAGERS_NAME = "managedFields";
const PLAIN_NAME = /^[A-Za-z0-9_-]+$/;
const VERSION = Buffer.from('"resourceVersion":"');
const MANAGERS = Buffer.from(',"managedFields":[');
/** Fewer bytes are copied one by one. */
const SHORT = 8;
const END_OF_LIST = 0x5d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const NINE = 0x39;
const ZERO = 0x30;

/** Methods of `Buffer` for any bytes. */
const { indexOf, copy, utf8Write } = Buffer.prototype as unknown as {
  indexOf(this: Uint8Array, part: Uint8Array, from: number): number;
  copy(this: Uint8Array, to: Uint8Array, at: number, start: number, end: number): number;
  utf8Write(this: Uint8Array, text: string, at: number): number;
};

/**
 * Encodes what changed, and copies the rest. A member begins where its name stands as JSON after a
 * comma, which is so nowhere within a string; where that is so more than once, nothing is told.
 */
export class ChangeEncoder {
  readonly #marks = new Map<string, Buffer>();

  /**
   * The bytes that `encodeCanonical` gives of `after`. `undefined` where more changed than
   * managedFields and one other member, and where it cannot be told what stands where.
   */
  encode(change: Change): Buffer | undefined {
    const { bytes, before, after } = change;
    const meta = keptMeta(before.metadata as Members, after.metadata as Members);
    const difference = meta && differenceOf(before as Members, after as Members);
    if (!difference) return undefined;
    const start = metadataStart(before);
    const rest = endOfVersion(bytes, start);
    if (rest < 0) return undefined;
    const managersAt = indexOf.call(bytes, MANAGERS, rest - 1) + MANAGERS.length - 1;
    if (managersAt < MANAGERS.length) return undefined;
    const managersEnd =
      meta.next === undefined
        ? this.#endBefore(difference.first, bytes, managersAt) - 1
        : this.#next(meta.next, bytes, managersAt);
    if (managersEnd < managersAt || bytes[managersEnd - 1] !== END_OF_LIST) return undefined;
    const replaced = this.#replaced(difference, change, managersEnd);
    if (!replaced) return undefined;
    const { managers } = change;
    const kept = start + (managersAt - rest) + (replaced.start - managersEnd);
    const written = Buffer.byteLength(managers) + Buffer.byteLength(replaced.text);
    const result = Buffer.allocUnsafe(kept + written + bytes.length - replaced.end);
    let at = copy.call(bytes, result, 0, 0, start);
    at += copy.call(bytes, result, at, rest, managersAt);
    at += utf8Write.call(result, managers, at);
    at += copy.call(bytes, result, at, managersEnd, replaced.start);
    at += utf8Write.call(result, replaced.text, at);
    copyShort(bytes, { from: replaced.end, to: result, at });
    return result;
  }

  #replaced(
    { changed, next }: Difference,
    { bytes, before, after }: Change,
    managersEnd: number,
  ): Replaced | undefined {
    if (changed === undefined) return { start: bytes.length, end: bytes.length, text: "" };
    const [old, now] = [(before as Members)[changed], (after as Members)[changed]];
    const added = addedText(old, now);
    const at = added !== undefined && !next ? managersEnd : this.#find(changed, bytes, managersEnd);
    const end = at < 0 ? -1 : this.#endBefore(next, bytes, at);
    if (end < 0) return undefined;
    if (added !== undefined) return { start: end - 1, end: end - 1, text: added };
    return { start: at + `,"${changed}":`.length, end, text: exactJson(now) };
  }

  /** Where the member before this one ends, or the last one; below zero where that is not told. */
  #endBefore(next: string | undefined, bytes: Uint8Array, from: number): number {
    return next === undefined ? bytes.length - 1 : this.#find(next, bytes, from);
  }

  /** Where the comma in front of a member is. */
  #find(name: string, bytes: Uint8Array, from: number): number {
    const mark = this.#markOf(name);
    if (!mark) return -1;
    const at = indexOf.call(bytes, mark, from);
    return at >= 0 && indexOf.call(bytes, mark, at + mark.length) < 0 ? at : -1;
  }

  /** The same for the first of that name, as there are no lists, nor plain names, among fields. */
  #next(name: string, bytes: Uint8Array, from: number): number {
    const mark = this.#markOf(name);
    return mark ? indexOf.call(bytes, mark, from) : -1;
  }

  #markOf(name: string): Buffer | undefined {
    const known = this.#marks.get(name);
    if (known || !PLAIN_NAME.test(name)) return known;
    const mark = Buffer.from(`,"${name}":`);
    if (this.#marks.size < MARKS_MAX) this.#marks.set(name, mark);
    return mark;
  }
}

/** The rest of some bytes: two braces, as a rule, for which a call costs more. */
function copyShort(bytes: Uint8Array, of: { from: number; to: Uint8Array; at: number }): void {
  const { from, to, at } = of;
  const size = bytes.length - from;
  if (size > SHORT) copy.call(bytes, to, at, from, bytes.length);
  else for (let index = 0; index < size; index++) to[at + index] = bytes[from + index] as number;
}

/** Where the fields of the metadata begin in canonical bytes of a kind whose names are ASCII. */
function metadataStart({ kind = "", apiVersion = "" }: CanonicalObject): number {
  return '{"kind":"","apiVersion":"","metadata":{'.length + kind.length + apiVersion.length;
}

/**
 * The member after the managedFields, where all of the metadata is as it was but these and the
 * resourceVersion; else `undefined`.
 */
function keptMeta(
  before: Members = {},
  after: Members = {},
): { next: string | undefined } | undefined {
  const names = Object.keys(before);
  let at = 0;
  let last = "";
  let kept: { next: string | undefined } | undefined;
  for (const name in after) {
    if (name === VERSION_NAME) continue;
    if (names[at] === VERSION_NAME) at++;
    if (names[at++] !== name) return undefined;
    if (name === MANAGERS_NAME) kept = { next: undefined };
    else if (before[name] !== after[name]) return undefined;
    if (kept && last === MANAGERS_NAME) kept.next = name;
    last = name;
  }
  if (names[at] === VERSION_NAME) at++;
  return at === names.length ? kept : undefined;
}

/** `undefined` where members came, went, changed places, or more than one changed. */
function differenceOf(before: Members, after: Members): Difference | undefined {
  if (before["kind"] !== after["kind"] || before["apiVersion"] !== after["apiVersion"]) {
    return undefined;
  }
  const difference: Difference = { first: undefined, changed: undefined, next: undefined };
  const names = Object.keys(before);
  let at = 0;
  let previous: string | undefined;
  for (const name in after) {
    if (isFirst(name)) continue;
    while (at < names.length && isFirst(names[at] as string)) at++;
    if (names[at++] !== name) return undefined;
    difference.first ??= name;
    if (difference.changed !== undefined && previous === difference.changed) difference.next = name;
    previous = name;
    const now = after[name];
    if (before[name] === now) continue;
    if (now === undefined || difference.changed !== undefined) return undefined;
    difference.changed = name;
  }
  while (at < names.length && isFirst(names[at] as string)) at++;
  return at === names.length ? difference : undefined;
}

function isFirst(name: string): boolean {
  return name === "kind" || name === "apiVersion" || name === "metadata";
}

/** What stands in front of the closing brace when members came last; else `undefined`. */
function addedText(before: unknown, after: unknown): string | undefined {
  if (!isObject(before) || !isObject(after)) return undefined;
  const names = Object.keys(before);
  const added: Record<string, unknown> = {};
  let at = 0;
  for (const name in after) {
    const value = after[name];
    if (at < names.length) {
      if (names[at++] !== name || before[name] !== value) return undefined;
    } else if (name === "__proto__") return undefined;
    else added[name] = value;
  }
  if (at < names.length) return undefined;
  const text = exactJson(added).slice(1, -1);
  return text && names.length > 0 ? `,${text}` : text;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Where the metadata goes on after its resourceVersion; below zero where it begins otherwise. */
function endOfVersion(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let index = 0; index < VERSION.length; index++) {
    if (bytes[at++] !== VERSION[index]) return -1;
  }
  for (let digit = bytes[at] ?? 0; digit >= ZERO && digit <= NINE; ) digit = bytes[++at] ?? 0;
  return bytes[at] === QUOTE && bytes[at + 1] === COMMA ? at + 2 : -1;
}
