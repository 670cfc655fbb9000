import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameDecoder } from "./frame-decoder.ts";
import { FrameEncoder } from "./frame-encoder.ts";
import { SpdyError, type SpdyFrame } from "./frame.ts";

const id = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const latin1 = fc
  .uint8Array({ maxLength: 40 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));
const headers = fc
  .dictionary(fc.stringMatching(/^[a-z0-9:-]{1,20}$/), latin1)
  .map((entries) => new Map(Object.entries(entries)));
const fin = fc.boolean();
const plain = { noNullPrototype: true };
const record = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(shape, plain);

const frame: fc.Arbitrary<SpdyFrame> = fc.oneof(
  record({
    type: fc.constant("syn-stream" as const),
    streamId: id,
    associatedId: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    priority: fc.integer({ min: 0, max: 7 }),
    unidirectional: fc.boolean(),
    fin,
    headers,
  }),
  record({ type: fc.constantFrom("syn-reply", "headers"), streamId: id, fin, headers }),
  record({ type: fc.constant("rst-stream" as const), streamId: id, status: word }),
  record({
    type: fc.constant("settings" as const),
    settings: fc.array(
      record({
        flags: fc.integer({ min: 0, max: 255 }),
        id: fc.integer({ min: 0, max: 2 ** 24 - 1 }),
        value: word,
      }),
      { maxLength: 5 },
    ),
  }),
  record({ type: fc.constant("ping" as const), id: word }),
  record({ type: fc.constant("goaway" as const), lastStreamId: id, status: word }),
  record({ type: fc.constant("window-update" as const), streamId: id, delta: id }),
  record({
    type: fc.constant("data" as const),
    streamId: id,
    fin,
    bytes: fc.uint8Array({ maxLength: 300 }),
  }),
);

function encodeAll(frames: readonly SpdyFrame[]): Buffer {
  const encoder = new FrameEncoder();
  return Buffer.concat(frames.map((one) => encoder.encode(one)));
}

/** All frames of these bytes, the pieces of each DATA frame joined again. */
function decodeAll(bytes: Uint8Array, pieceBytes: number): SpdyFrame[] {
  const decoder = new FrameDecoder();
  const frames: SpdyFrame[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    frames.push(...decoder.push(bytes.subarray(at, at + pieceBytes)));
  }
  return frames;
}

function joined(frames: readonly SpdyFrame[]): SpdyFrame[] {
  const all: SpdyFrame[] = [];
  for (const one of frames) {
    const last = all.at(-1);
    if (one.type !== "data" || last?.type !== "data" || last.fin) all.push(one);
    else if (last.streamId !== one.streamId) all.push(one);
    else all.splice(-1, 1, { ...one, bytes: Buffer.concat([last.bytes, one.bytes]) });
  }
  return all.map((one) => (one.type === "data" ? { ...one, bytes: Buffer.from(one.bytes) } : one));
}

test("SPDY frames that were encoded are decoded, however the bytes arrive", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 12 }),
      fc.integer({ min: 1, max: 500 }),
      (frames, pieceBytes) => {
        assert.deepEqual(joined(decodeAll(encodeAll(frames), pieceBytes)), joined(frames));
      },
    ),
    { numRuns: 150 },
  );
});

const decodesOrRefuses = (bytes: Uint8Array): void => {
  try {
    decodeAll(bytes, 64);
  } catch (error) {
    assert.ok(error instanceof SpdyError, String((error as Error).stack));
  }
};

test("any bytes are SPDY frames or are refused", () => {
  const starts = fc.constantFrom([], [0x80, 3, 0, 1], [0x80, 3, 0, 8], [0x80, 3, 0, 4], [0x80, 3]);
  const bytes = fc
    .tuple(starts, fc.uint8Array({ maxLength: 200 }))
    .map(([start, rest]) => Uint8Array.of(...start, ...rest));
  fc.assert(fc.property(bytes, decodesOrRefuses), { numRuns: 500 });
});

test("damaged SPDY frames are other frames or are refused", () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 4 }), flips, (frames, damage) => {
      const bytes = encodeAll(frames);
      for (const [at, value] of damage) bytes[at % bytes.length] = value;
      decodesOrRefuses(bytes);
    }),
    { numRuns: 300 },
  );
});
