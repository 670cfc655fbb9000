import { JsonSyntaxError, parseStrictJson } from "./json-parser.ts";

/** A document and what a strict reader would object to. */
export interface DecodedJson {
  value: unknown;
  /** Paths of keys that an object has twice, such as "spec.containers[0].name"; the last wins. */
  duplicates: readonly string[];
}

const MAX_DEPTH = 1_000;
/** Only an escape can be half a pair: in UTF-8 there is no such thing. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;
const HALF_PAIR = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Decodes JSON in UTF-8. An int64 beyond 2^53 becomes a `bigint`, half of a surrogate pair U+FFFD
 * as in Go. Documents without oddities go
 * through `JSON.parse`; one pass over the bytes tells which those are.
 * @throws JsonSyntaxError for malformed or too deeply nested input
 */
export function decodeJson(bytes: Uint8Array): DecodedJson {
  const { keys, depth, hasLongNumber } = scan(bytes);
  if (depth > MAX_DEPTH) throw new JsonSyntaxError("exceeded max depth", 0);
  const text = Buffer.prototype.utf8Slice.call(bytes, 0, bytes.byteLength);
  if (SURROGATE_ESCAPE.test(text)) {
    const { value, duplicates } = parseStrictJson(text);
    return { value: wellFormed(value), duplicates };
  }
  if (hasLongNumber) return parseStrictJson(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return parseStrictJson(text);
  }
  return countKeys(value) === keys ? { value, duplicates: [] } : parseStrictJson(text);
}

/** What can be told without parsing: the colons outside strings are the keys. */
function scan(bytes: Uint8Array): { keys: number; depth: number; hasLongNumber: boolean } {
  let keys = 0;
  let nesting = 0;
  let depth = 0;
  let digits = 0;
  let hasLongNumber = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x30 && byte <= 0x39) {
      if (++digits > 15) hasLongNumber = true;
      continue;
    }
    digits = 0;
    if (byte === 0x22) at = endOfString(bytes, at + 1);
    else if (byte === 0x3a) keys++;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++nesting > depth) depth = nesting;
    } else if (byte === 0x7d || byte === 0x5d) nesting--;
  }
  return { keys, depth, hasLongNumber };
}

/** Longer strings are searched by native code, whose call costs as much as so many bytes. */
const SHORT_STRING = 64;

/** Index of the closing quote, or the length of the input. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  const shortEnd = Math.min(start + SHORT_STRING, bytes.length);
  for (; at < shortEnd; at++) {
    const byte = bytes[at];
    if (byte === 0x5c) at++;
    else if (byte === 0x22) return at;
  }
  // An escape may have ended beyond the short part.
  for (let from = at; ; ) {
    const quote = bytes.indexOf(0x22, from);
    if (quote < 0) return bytes.length;
    let escape = quote;
    while (escape > from && bytes[escape - 1] === 0x5c) escape--;
    if ((quote - escape) % 2 === 0) return quote;
    from = quote + 1;
  }
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.replace(HALF_PAIR, "\ufffd");
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(wellFormed);
  const entries = Object.entries(value).map(([key, inner]) => {
    return [key.replace(HALF_PAIR, "\ufffd"), wellFormed(inner)] as const;
  });
  return Object.fromEntries(entries);
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") count += countKeys(item);
    return count;
  }
  const object = value as Record<string, unknown>;
  for (const key in object) {
    count++;
    const item = object[key];
    if (typeof item === "object") count += countKeys(item);
  }
  return count;
}
