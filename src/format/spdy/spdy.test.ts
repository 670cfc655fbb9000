import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, createDeflate } from "node:zlib";
import fc from "fast-check";
import {
  encodeData,
  encodeGoAway,
  encodePing,
  encodeReset,
  encodeSynReply,
  encodeSynStream,
  FrameDecoder,
  type SpdyFrame,
} from "./frame-codec.ts";
import {
  createHeaderDeflater,
  decodeHeaders,
  encodeHeaders,
  HeaderInflater,
} from "./header-block.ts";
import { headerDictionary } from "./header-dictionary.ts";
import { SpdyError } from "./spdy-error.ts";

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}

test("the dictionary is the one of the specification", () => {
  const dictionary = headerDictionary();
  assert.equal(dictionary.length, 1423);
  assert.equal(adler32(dictionary).toString(16), "e3c6a7c2");
});

const HEADERS: [string, string][] = [
  ["streamtype", "error"],
  ["port", "8080"],
  ["requestid", "0"],
];

test("blocks that a real zlib compressed with the dictionary come back", async () => {
  const deflate = createDeflate({ dictionary: headerDictionary() });
  using inflater = new HeaderInflater();
  for (let round = 0; round < 3; round++) {
    const headers = HEADERS.map(([name, value]): [string, string] => [name, `${value}${round}`]);
    const block = await new Promise<Uint8Array>((resolve) => {
      deflate.write(encodeHeaders(headers));
      deflate.flush(constants.Z_SYNC_FLUSH, () => resolve(deflate.read() as Uint8Array));
    });
    assert.deepEqual(decodeHeaders(await inflater.inflate(block)), headers);
  }
  deflate.destroy();
});

test("own blocks end with a flush, without which Go's inflate waits for ever", () => {
  const deflate = createHeaderDeflater();
  const block = encodeHeaders([]);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  assert.equal(hex(deflate(block)), "7801000400fbff00000000000000ffff");
  assert.equal(hex(deflate(block)), "000400fbff00000000000000ffff");
});

test("own blocks are valid zlib", async () => {
  const deflate = createHeaderDeflater();
  using inflater = new HeaderInflater();
  for (let round = 0; round < 3; round++) {
    const block = deflate(encodeHeaders(HEADERS));
    assert.deepEqual(decodeHeaders(await inflater.inflate(block)), HEADERS);
  }
});

test("a bomb and garbage are refused", async () => {
  const deflate = createDeflate({ dictionary: headerDictionary() });
  deflate.end(Buffer.alloc(10_000_000));
  const bomb = Buffer.concat((await deflate.toArray()) as Buffer[]);
  for (const block of [bomb, Buffer.from("no zlib at all")]) {
    using inflater = new HeaderInflater();
    await assert.rejects(inflater.inflate(block), SpdyError);
    await assert.rejects(inflater.inflate(block), SpdyError);
  }
});

test("header bytes are decoded or refused, never misread", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decodeHeaders(bytes);
      } catch (error) {
        assert.ok(error instanceof SpdyError, String(error));
      }
    }),
  );
});

const id = fc.integer({ min: 1, max: 0x7fff_ffff });
const bytes = fc.uint8Array({ maxLength: 200 });
const frame = fc.oneof(
  fc.tuple(id, bytes, fc.boolean()).map(([streamId, data, fin]) => encodeData(streamId, data, fin)),
  fc
    .tuple(id, bytes, fc.boolean())
    .map(([streamId, block, fin]) => encodeSynStream(streamId, block, fin)),
  fc.tuple(id, bytes).map(([streamId, block]) => encodeSynReply(streamId, block)),
  fc.tuple(id, fc.nat({ max: 11 })).map(([streamId, code]) => encodeReset(streamId, code)),
  fc.nat().map(encodePing),
  id.map(encodeGoAway),
);

/** Glues neighbouring parts of data together, since cuts may fall anywhere. */
function joined(frames: readonly SpdyFrame[]): string[] {
  const texts: string[] = [];
  let data = "";
  let streamId = 0;
  const flush = (fin: boolean) => {
    if (data || fin) texts.push(`data ${streamId} ${data} ${fin}`);
    data = "";
  };
  for (const one of frames) {
    if (one.type === "data") {
      if (one.streamId !== streamId) flush(false);
      streamId = one.streamId;
      data += Buffer.from(one.bytes).toString("hex");
      if (one.fin) flush(true);
      continue;
    }
    flush(false);
    const block = "headerBlock" in one ? Buffer.from(one.headerBlock).toString("hex") : "";
    texts.push(JSON.stringify({ ...one, headerBlock: block }));
  }
  flush(false);
  return texts;
}

test("frames come out the same, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.nat({ max: 50 })),
      (frames, cuts) => {
        const wire = Buffer.concat(frames);
        const whole = new FrameDecoder().push(wire);
        const decoder = new FrameDecoder();
        const parts: SpdyFrame[] = [];
        let at = 0;
        for (const cut of [...cuts, wire.length]) {
          parts.push(...decoder.push(wire.subarray(at, at + cut)));
          at = Math.min(wire.length, at + cut);
        }
        parts.push(...decoder.push(wire.subarray(at)));
        assert.deepEqual(joined(parts), joined(whole));
      },
    ),
  );
});

test("random bytes are frames or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      try {
        new FrameDecoder().push(noise);
      } catch (error) {
        assert.ok(error instanceof SpdyError, String(error));
      }
    }),
  );
});
