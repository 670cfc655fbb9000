import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isJson } from "./json-value.ts";

test("what was parsed is JSON", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.equal(
        isJson(JSON.parse(text, (_, value: unknown) => (value === 0 ? 0 : value))),
        true,
      );
    }),
  );
});

test("what JSON would lose or refuse is not, wherever it stands", () => {
  const lossy = [
    undefined,
    1n,
    Number.NaN,
    Infinity,
    -0,
    new Date(),
    new Map(),
    () => {},
    Symbol("a"),
  ];
  for (const value of lossy) {
    for (const holder of [value, { a: value }, [value], { a: [{ b: value }] }]) {
      assert.equal(isJson(holder), false);
    }
  }
});
