import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteArena } from "./byte-arena.ts";

test("bytes stay as they were written, whatever is written after them", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 9_000 }), { maxLength: 30 }), (sizes) => {
      const arena = new ByteArena();
      const kept = sizes.map((size, at) => arena.allocate(size).fill(at));
      for (const [at, bytes] of kept.entries()) {
        assert.ok(bytes.equals(Buffer.alloc(sizes[at] ?? 0, at)));
      }
    }),
  );
});

test("small states share slabs, large ones hold on to nothing else", () => {
  const arena = new ByteArena();
  assert.equal(arena.allocate(1_000).buffer, arena.allocate(1_000).buffer);
  assert.equal(arena.allocate(5_000).buffer.byteLength, 5_000);
});
