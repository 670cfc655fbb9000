import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteArena } from "./byte-arena.ts";

test("what is kept stays as it was, whatever is kept after it", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 9_000 }), { maxLength: 30 }), (sizes) => {
      const arena = new ByteArena();
      const kept = sizes.map((size, at) => {
        const bytes = Buffer.alloc(size, at);
        const copy = arena.keep(bytes);
        bytes.fill(255);
        return copy;
      });
      for (const [at, bytes] of kept.entries()) {
        assert.ok(Buffer.from(bytes).equals(Buffer.alloc(sizes[at] ?? 0, at)));
      }
    }),
  );
});

test("small states share slabs, large ones hold on to nothing else", () => {
  const arena = new ByteArena();
  const [a, b] = [arena.keep(Buffer.alloc(1_000)), arena.keep(Buffer.alloc(1_000))];
  assert.equal(a.buffer, b.buffer);
  assert.equal(arena.keep(Buffer.alloc(5_000)).buffer.byteLength, 5_000);
});
