import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import koffi from "koffi";
import { decompressZstd, isZstd } from "./zstd.ts";

/** One frame with a checksum, by the library's own encoder. */
function compress(bytes: Uint8Array): Buffer {
  const library = koffi.load("libzstd.so.1", { deep: true });
  const create = library.func("void *ZSTD_createCCtx()");
  const free = library.func("size_t ZSTD_freeCCtx(void *encoder)");
  const set = library.func("size_t ZSTD_CCtx_setParameter(void *encoder, int name, int value)");
  const run = library.func(
    "size_t ZSTD_compress2(void *encoder, _Out_ void *to, size_t room, const void *from, size_t n)",
  );
  const encoder: unknown = create();
  const room = Buffer.alloc(bytes.length + 1024);
  set(encoder, CHECKSUM_FLAG, 1);
  const length = Number(run(encoder, room, room.length, bytes, bytes.length));
  free(encoder);
  return room.subarray(0, length);
}

const CHECKSUM_FLAG = 201;
const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

async function* pieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function decompress(bytes: Uint8Array, length = 7): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of decompressZstd(pieces(bytes, length))) parts.push(part);
  return Buffer.concat(parts);
}

test("what was compressed comes out, in whatever pieces and frames it comes in", async () => {
  const piece = fc.integer({ min: 1, max: 5_000 });
  const frames = fc.array(fc.uint8Array({ maxLength: 2_000 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(frames, fc.integer({ min: 1, max: 500 }), piece, async (all, times, cut) => {
      const bodies = all.map((one) => Buffer.concat(Array<Uint8Array>(times).fill(one)));
      const whole = Buffer.concat(bodies.flatMap((body) => [compress(body), SKIPPABLE]));
      assert.ok((await decompress(whole, cut)).equals(Buffer.concat(bodies)));
    }),
    { numRuns: 40 },
  );
  assert.equal((await decompress(Buffer.alloc(0))).length, 0);
});

test("frames are told from other bytes", () => {
  assert.ok(isZstd(compress(Buffer.from("a"))));
  assert.ok(isZstd(SKIPPABLE));
  assert.ok(!isZstd(Buffer.from([0x28, 0xb5, 0x2f])));
  assert.ok(!isZstd(Buffer.from([0x1f, 0x8b, 8, 0])));
});

test("frames that are cut short, damaged, or no frames are refused", async () => {
  const frame = compress(Buffer.from("hello ".repeat(100)));
  await assert.rejects(decompress(frame.subarray(0, -1)), /the last frame is cut short/);
  await assert.rejects(decompress(frame.subarray(0, 3)), /cut short/);
  const damaged = Uint8Array.from(frame, (byte, at) => (at === frame.length - 1 ? byte ^ 1 : byte));
  await assert.rejects(decompress(damaged), /checksum/);
  await assert.rejects(
    decompress(Buffer.concat([frame, Buffer.from("more")])),
    /Cannot decompress/,
  );
});

test("a frame that wants more memory than there is for it is refused", async () => {
  // A window of 256 MiB; then a block that repeats one byte.
  const greedy = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 0x03, 0x00, 0x00, 0x61]);
  await assert.rejects(decompress(greedy), /memory/);
});

test("little that becomes much comes in small pieces, and can be stopped", async () => {
  const bomb = compress(Buffer.alloc(64 * 1024 * 1024));
  assert.ok(bomb.length < 16 * 1024);
  let count = 0;
  for await (const part of decompressZstd(pieces(bomb, bomb.length))) {
    assert.ok(part.length <= 256 * 1024);
    if (++count === 3) break;
  }
  assert.equal(count, 3);
});
