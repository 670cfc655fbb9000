import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { RecentHeads } from "./recent-heads.ts";
import type { StoredObject } from "./store.ts";

function headOf(key: string, revision: number, sizeBytes: number): StoredObject {
  return { key, revision, createRevision: 1, bytes: new Uint8Array(sizeBytes) };
}

test("property: what is remembered is the newest, and nothing that was deleted", () => {
  const step = fc.record({
    key: fc.constantFrom("a", "b", "c", "d"),
    isDeleted: fc.boolean(),
    sizeBytes: fc.constantFrom(1, 1 << 19, 1 << 21),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const heads = new RecentHeads();
      const newest = new Map<string, number>();
      for (const [revision, { key, isDeleted, sizeBytes }] of steps.entries()) {
        if (isDeleted) {
          heads.delete(key);
          newest.delete(key);
        } else {
          heads.set(key, headOf(key, revision, sizeBytes));
          newest.set(key, revision);
        }
        for (const name of ["a", "b", "c", "d"]) {
          const known = heads.get(name);
          if (known) assert.equal(known.revision, newest.get(name));
        }
      }
    }),
  );
});

test("the latest are remembered, however many came before", () => {
  const heads = new RecentHeads();
  for (let i = 0; i < 10_000; i++) heads.set(`${i}`, headOf(`${i}`, i, 10));
  for (let i = 9_000; i < 10_000; i++) assert.equal(heads.get(`${i}`)?.revision, i);
  assert.equal(heads.get("0"), undefined);
});
