import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRaw } from "./raw-body.ts";

function parse(text: string): unknown {
  const contentType = "application/merge-patch+json";
  return parseRaw({ kind: "bytes", bytes: Buffer.from(text), contentType }).value;
}

test("a patch nested beyond reason is refused before anything walks it", () => {
  const deep = `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`;
  assert.throws(() => parse(deep), {
    name: "StatusError",
    message: /exceeded max depth/,
    code: 400,
  });
});

test("a malformed patch is refused with what is wrong", () => {
  assert.throws(() => parse('{"a" 1}'), { message: /invalid character '1' after object key/ });
});

test("a patch may hold an int64 that a number cannot", () => {
  assert.deepEqual(parse('{"a":9223372036854775807}'), { a: 9223372036854775807n });
});
