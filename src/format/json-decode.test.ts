import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeJson } from "./json-decode.ts";
import { JsonSyntaxError, parseStrictJson } from "./json-parser.ts";

function decode(text: string) {
  return decodeJson(Buffer.from(text));
}

/** With numbers for what `JSON.parse` would round. */
function inexact(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inexact);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inexact(item)]));
}

test("any JSON reads as JSON.parse reads it, by either way", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const wanted: unknown = JSON.parse(text);
      const { value, duplicates } = parseStrictJson(text);
      assert.deepEqual([inexact(value), duplicates], [wanted, []]);
      assert.deepEqual(inexact(decode(text).value), wanted);
    }),
  );
});

test("any text is refused exactly when JSON.parse refuses it", () => {
  const pieces = fc.constantFrom(
    ...Array.from('{}[]:,"\\u1e+-. tfn'),
    "true",
    "null",
    '"a"',
    '"a":',
    "12",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      let isValid = true;
      try {
        JSON.parse(text);
      } catch {
        isValid = false;
      }
      if (isValid) decode(text);
      else assert.throws(() => decode(text), JsonSyntaxError);
    }),
    { numRuns: 2_000 },
  );
});

test("repeated keys are reported by path and the last one wins", () => {
  const { value, duplicates } = decode('{"a":[{"b":1,"b":2}],"c":{"d":1},"c":"x:y"}');
  assert.deepEqual(duplicates, ["a[0].b", "c"]);
  assert.deepEqual(value, { a: [{ b: 2 }], c: "x:y" });
});

test("colons and escaped quotes in strings are no keys", () => {
  assert.deepEqual(decode('{"a":"b\\":{:","c":"\\\\"}').duplicates, []);
});

test("integers that a number cannot hold become bigint, others stay numbers", () => {
  const { value } = decode("[9223372036854775807,9007199254740991,0.1234567890123456]");
  assert.deepEqual(value, [9223372036854775807n, 9007199254740991, 0.1234567890123456]);
});

test("a key named __proto__ stays a plain key", () => {
  const { value } = decode('{"__proto__":{"a":9223372036854775807}}');
  assert.deepEqual(Object.keys(value as object), ["__proto__"]);
  assert.equal(({} as { a?: unknown }).a, undefined);
});

for (const [text, message] of [
  ["", "unexpected end of JSON input"],
  ["{", "unexpected end of JSON input"],
  ["{a}", "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ["tru3", "invalid character '3' in literal true (expecting 'e')"],
  ["-x", "invalid character 'x' in numeric literal"],
  ["{} x", "invalid character 'x' after top-level value"],
  ['"\n"', "invalid character '\\n' in string literal"],
] as const) {
  test(`malformed ${JSON.stringify(text)} is refused in Go's words`, () => {
    assert.throws(() => decode(text), { name: "JsonSyntaxError", message });
  });
}

test("nesting without end is refused", () => {
  assert.throws(() => decode("[".repeat(5_000)), /exceeded max depth/);
});

test("half a surrogate pair becomes the replacement character, as in Go", () => {
  const { value } = decode('{"\\ud83d":"\\ud83d\\ude00 \\udc00"}');
  assert.deepEqual(value, { "\ufffd": "\u{1f600} \ufffd" });
});

test("a whole number of very many digits is no int64, and takes no time to tell", () => {
  assert.deepEqual(decode("9".repeat(2_000_000)).value, Number.POSITIVE_INFINITY);
});

test("a long text ends at its own quote, whatever is escaped in it", () => {
  const piece = fc.constantFrom("\\", '"', "a", "\u00e9", "x".repeat(61), "y".repeat(200));
  const long = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.array(long, { maxLength: 4 }), long, (texts, key) => {
      const value = { texts, [`k${key}`]: { a: 1 }, last: texts[0] ?? "" };
      assert.deepEqual(decode(JSON.stringify(value)), { value, duplicates: [] });
      const twice = JSON.stringify(value).replace(/}$/, ',"last":1}');
      assert.deepEqual(decode(twice).duplicates, ["last"]);
    }),
  );
});
