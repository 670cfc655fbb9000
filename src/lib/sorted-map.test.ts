import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareUtf8, SortedMap } from "./sorted-map.ts";

test("keys compare as their UTF-8 bytes", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 4 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      assert.equal(Math.sign(compareUtf8(a, b)), bytes);
    }),
  );
  assert.ok(compareUtf8("\u{1f600}", "\uffff") > 0);
});

test("a sorted map agrees with a plain one under any order of changes", () => {
  const change = fc.tuple(fc.integer({ min: 0, max: 1_500 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(change, { minLength: 600, maxLength: 1_200 }), (changes) => {
      const sorted = new SortedMap<number>();
      const plain = new Map<string, number>();
      for (const [number, put] of changes) {
        const key = `k${number}`;
        if (put) sorted.set(key, number);
        else assert.equal(sorted.delete(key), plain.has(key));
        if (put) plain.set(key, number);
        else plain.delete(key);
      }
      const wanted = [...plain].sort(([a], [b]) => compareUtf8(a, b));
      assert.deepEqual([...sorted.entriesFrom("")], wanted);
      assert.equal(sorted.size, plain.size);
      const middle = "k7";
      assert.deepEqual(
        [...sorted.entriesFrom(middle)],
        wanted.filter(([key]) => key >= middle),
      );
    }),
    { numRuns: 20 },
  );
});
