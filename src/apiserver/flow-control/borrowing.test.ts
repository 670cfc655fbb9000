import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lendingOf, shareSeats } from "./borrowing.ts";

const level = (nominal: number, peak: number, more: object = {}) => {
  return { nominal, peak, lendable: 0, borrowing: Infinity, ...more };
};

test("a level that is idle lends what it may, and no more", () => {
  const idle = level(100, 0, { lendable: 50 });
  assert.deepEqual(shareSeats([idle, level(100, 500)]), [50, 150]);
  assert.deepEqual(shareSeats([idle, level(100, 500, { borrowing: 20 })]), [80, 120]);
  assert.deepEqual(shareSeats([level(100, 0), level(100, 500)]), [100, 100]);
});

test("a level that needs its seats has them", () => {
  const busy = level(100, 80, { lendable: 100 });
  assert.deepEqual(shareSeats([busy, level(100, 500)]), [80, 120]);
  assert.deepEqual(shareSeats([level(100, 300, { lendable: 100 }), level(100, 500)]), [100, 100]);
});

test("what is lent is shared in proportion to what is wanted", () => {
  const idle = level(120, 0, { lendable: 120 });
  const [lent, small, large] = shareSeats([idle, level(30, 100), level(30, 200)]);
  assert.ok((lent ?? 0) <= 2);
  assert.deepEqual([small, large], [60, 120]);
});

test("percentages are those of the seats of the level", () => {
  const limited = { lendablePercent: 33, borrowingLimitPercent: 50 };
  assert.deepEqual(lendingOf({ type: "Limited", limited }, 100), { lendable: 33, borrowing: 50 });
  assert.deepEqual(lendingOf({ type: "Limited" }, 100), { lendable: 0, borrowing: Infinity });
});

test("no seat is given out twice, and nobody is left without", () => {
  const any = fc.record({
    nominal: fc.integer({ min: 1, max: 200 }),
    peak: fc.integer({ min: 0, max: 1000 }),
    percent: fc.integer({ min: 0, max: 100 }),
  });
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 12 }), (drawn) => {
      const levels = drawn.map(({ nominal, peak, percent }) => {
        return level(nominal, peak, { lendable: Math.round((nominal * percent) / 100) });
      });
      const shared = shareSeats(levels);
      const total = levels.reduce((sum, { nominal }) => sum + nominal, 0);
      // Each is rounded by at most half a seat, and has one at least.
      assert.ok(shared.reduce((sum, seats) => sum + seats, 0) <= total + 1.5 * levels.length);
      for (const [at, { nominal, lendable, peak }] of levels.entries()) {
        assert.ok((shared[at] ?? 0) >= Math.max(1, nominal - lendable, Math.min(nominal, peak)));
      }
    }),
  );
});
