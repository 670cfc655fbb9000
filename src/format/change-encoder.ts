import { type CanonicalObject, metadataOffset } from "./json-canonical.ts";
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
const PLAIN_NAME = /^[A-Za-z0-9_-]+$/;
const VERSION = Buffer.from('"resourceVersion":"');
const MANAGERS = Buffer.from(',"managedFields":[');
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
  encode({ bytes, before, after, managers }: Change): Buffer | undefined {
    if (!isSameMeta(before.metadata as Members, after.metadata as Members)) return undefined;
    const difference = differenceOf(before as Members, after as Members);
    if (!difference) return undefined;
    const start = metadataOffset(bytes);
    const rest = endOfVersion(bytes, start);
    if (rest < 0) return undefined;
    const metaEnd = this.#endBefore(difference.first, bytes, rest);
    const managersAt = indexOf.call(bytes, MANAGERS, rest - 1) + MANAGERS.length - 1;
    if (managersAt < MANAGERS.length || managersAt >= metaEnd) return undefined;
    const replaced = this.#replaced(difference, { bytes, before, after, managers }, metaEnd);
    if (!replaced) return undefined;
    const managersEnd = metaEnd - 1;
    const kept = start + (managersAt - rest) + (replaced.start - managersEnd);
    const written = Buffer.byteLength(managers) + Buffer.byteLength(replaced.text);
    const result = Buffer.allocUnsafe(kept + written + bytes.length - replaced.end);
    let at = copy.call(bytes, result, 0, 0, start);
    at += copy.call(bytes, result, at, rest, managersAt);
    at += utf8Write.call(result, managers, at);
    at += copy.call(bytes, result, at, managersEnd, replaced.start);
    at += utf8Write.call(result, replaced.text, at);
    copy.call(bytes, result, at, replaced.end, bytes.length);
    return result;
  }

  #replaced(
    { first, changed, next }: Difference,
    { bytes, before, after }: Change,
    metaEnd: number,
  ): Replaced | undefined {
    if (changed === undefined) return { start: metaEnd, end: metaEnd, text: "" };
    const at = changed === first ? metaEnd : this.#find(changed, bytes, metaEnd);
    const end = at < 0 ? -1 : this.#endBefore(next, bytes, at);
    if (end < 0) return undefined;
    const [old, now] = [(before as Members)[changed], (after as Members)[changed]];
    const added = addedText(old, now);
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

  #markOf(name: string): Buffer | undefined {
    const known = this.#marks.get(name);
    if (known || !PLAIN_NAME.test(name)) return known;
    const mark = Buffer.from(`,"${name}":`);
    if (this.#marks.size < MARKS_MAX) this.#marks.set(name, mark);
    return mark;
  }
}

/** Whether all is as it was but resourceVersion and managedFields, which come last in both. */
function isSameMeta(before: Members = {}, after: Members = {}): boolean {
  const names = Object.keys(before);
  let at = 0;
  let last = "";
  for (const name in after) {
    if (name === "resourceVersion") continue;
    if (names[at] === "resourceVersion") at++;
    if (names[at++] !== name) return false;
    if (name !== "managedFields" && before[name] !== after[name]) return false;
    last = name;
  }
  if (names[at] === "resourceVersion") at++;
  return at === names.length && last === "managedFields";
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
