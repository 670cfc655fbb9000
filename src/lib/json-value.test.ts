import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isJson, mayHoldInt64 } from "./json-value.ts";

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

test("no int64 that a number cannot hold goes unseen, wherever it stands", () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(int64, (value) => {
      for (const text of [`${value}`, `{"a":${value}}`, `[0,${value}]`, `{"a":[{"b":${value}}]}`]) {
        const isHeld = BigInt(Number(value)) === value;
        assert.ok(isHeld || mayHoldInt64(JSON.parse(text)), text);
      }
    }),
  );
});

test("texts and the numbers of daily use are none", () => {
  const value = { a: [1, -1.5, 1_700_000_000_000, "12345678901234567890", null, true], b: {} };
  assert.equal(mayHoldInt64(value), false);
});

test("what is known to be JSON is not looked at again, and nothing else is passed over", () => {
  const seen = { a: 1n };
  assert.equal(isJson({ b: [seen] }, [seen]), true);
  assert.equal(isJson({ b: [{ a: 1n }] }, [seen]), false);
  assert.equal(isJson({ b: [seen], c: undefined }, [seen]), false);
});
