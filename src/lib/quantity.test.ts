import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addQuantities,
  canonicalQuantity,
  canonicalResourceQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QuantityError,
  quantityToMilli,
  quantityToNumber,
  subtractQuantities,
} from "./quantity.ts";

test("a quantity is written with the largest exact suffix", () => {
  const cases: [string, string][] = [
    ["0.5", "500m"],
    ["1000m", "1"],
    ["2048Mi", "2Gi"],
    ["1536Mi", "1536Mi"],
    ["0.5Gi", "512Mi"],
    ["512Ki", "512Ki"],
    ["1023Ki", "1023Ki"],
    ["1000", "1k"],
    ["1000Ki", "1000Ki"],
    ["1e3", "1e3"],
    ["12e3", "12e3"],
    ["1000000e-3", "1e3"],
    ["1E", "1E"],
    ["1E2", "100"],
    ["0", "0"],
    ["0Gi", "0"],
    ["-0", "0"],
    ["+1", "1"],
    ["-1.5", "-1500m"],
    ["0.5Ki", "512"],
    ["1.1Ki", "1126400m"],
    ["0.0000000001", "1n"],
    ["100000000000000000000", "9223372036854775807"],
    [".5", "500m"],
    ["5.", "5"],
    ["100m", "100m"],
  ];
  for (const [text, wanted] of cases) {
    if (text === "1E2") assert.equal(canonicalQuantity(text), "100");
    else assert.equal(canonicalQuantity(text), wanted, text);
  }
});

test("what is no quantity is refused", () => {
  for (const text of ["", "x", "1x", "1 Gi", "1.2.3", ".", "1e", "1Kb", "Gi", "--1", "1e1.5"]) {
    assert.throws(() => parseQuantity(text), QuantityError, text);
  }
});

test("a resource amount is rounded up to thousandths", () => {
  assert.equal(canonicalResourceQuantity("1u"), "1m");
  assert.equal(canonicalResourceQuantity("0.1"), "100m");
  assert.equal(canonicalResourceQuantity("1500u"), "2m");
});

test("numbers are what schedulers count with", () => {
  assert.equal(quantityToMilli("1500m"), 1500);
  assert.equal(quantityToMilli("2"), 2000);
  assert.equal(quantityToMilli("1u"), 1);
  assert.equal(quantityToMilli("0.25"), 250);
  assert.equal(quantityToNumber("64Mi"), 67_108_864);
  assert.equal(quantityToNumber("1.5Gi"), 1_610_612_736);
  assert.equal(quantityToNumber("500m"), 0.5);
});

const quantityText = fc
  .tuple(
    fc.integer({ min: -999_999, max: 999_999 }),
    fc.option(fc.nat({ max: 999 })),
    fc.constantFrom("", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "e3", "E-2"),
  )
  .map(([whole, part, suffix]) => `${whole}${part === null ? "" : `.${part}`}${suffix}`);

test("law: the canonical text means the same and is canonical", () => {
  fc.assert(
    fc.property(quantityText, (text) => {
      const canonical = canonicalQuantity(text);
      assert.equal(compareQuantities(parseQuantity(text), parseQuantity(canonical)), 0);
      assert.equal(formatQuantity(parseQuantity(canonical)), canonical);
      assert.equal(canonicalQuantity(canonical), canonical);
    }),
  );
});

test("law: adding and then subtracting gives the amount back", () => {
  fc.assert(
    fc.property(quantityText, quantityText, (left, right) => {
      const [a, b] = [parseQuantity(left), parseQuantity(right)];
      assert.equal(compareQuantities(subtractQuantities(addQuantities(a, b), b), a), 0);
      assert.equal(compareQuantities(addQuantities(a, b), addQuantities(b, a)), 0);
    }),
  );
});

test("law: the quick number agrees with the exact amount", () => {
  fc.assert(
    fc.property(quantityText, (text) => {
      const { nanos } = parseQuantity(text);
      const number = quantityToNumber(text);
      assert.ok(Math.abs(number - Number(nanos) / 1e9) <= Math.abs(number) * 1e-12 + 1e-12, text);
      assert.ok(quantityToMilli(text) >= 0 === nanos >= 0n || nanos === 0n);
    }),
  );
});
