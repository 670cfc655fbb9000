import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatMicroTime, formatTime } from "./clock.ts";

const YEAR_1_MS = Date.parse("0001-01-01T00:00:00Z");
const YEAR_10000_MS = Date.parse("+010000-01-01T00:00:00Z");

test("a time reads as Date says it, at every moment of every year", () => {
  const moments = fc.double({ min: YEAR_1_MS, max: YEAR_10000_MS - 1, noNaN: true });
  fc.assert(
    fc.property(moments, (epochMs) => {
      const text = new Date(epochMs).toISOString();
      assert.equal(formatTime(epochMs), `${text.slice(0, 19)}Z`);
      assert.equal(formatMicroTime(epochMs), `${text.slice(0, 23)}000Z`);
    }),
  );
});

test("the last and the first second around leap days and turns of a century read as such", () => {
  const days = ["0004-02-29", "1600-02-29", "1900-02-28", "1970-01-01", "2000-02-29", "2023-12-31"];
  for (const day of ["0001-01-01", ...days, "2024-02-29", "2100-02-28", "9999-12-31"]) {
    for (const time of [`${day}T00:00:00Z`, `${day}T23:59:59Z`]) {
      assert.equal(formatTime(Date.parse(time)), time);
    }
  }
});

test("what is no time is refused as Date refuses it", () => {
  assert.throws(() => formatTime(Number.NaN), RangeError);
});
