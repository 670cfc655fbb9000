import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import { FrameDecoder } from "./frame-decoder.ts";
import { FrameEncoder } from "./frame-encoder.ts";
import { SpdyError, type SpdyFrame } from "./frame.ts";
import {
  DICTIONARY_ID,
  HEADER_BLOCK_MAX_BYTES,
  HeaderCompressor,
  HeaderDecompressor,
} from "./header-codec.ts";
import { headerDictionary } from "./header-dictionary.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** One call's worth of a zlib stream that lives on: what other implementations do. */
async function turn(zlib: Deflate | Inflate, input: Uint8Array): Promise<Buffer> {
  const output: Buffer[] = [];
  const keep = (chunk: Buffer) => output.push(chunk);
  zlib.on("data", keep);
  await new Promise((done) => zlib.write(input, done));
  zlib.off("data", keep);
  return Buffer.concat(output);
}

const BLOCKS = [
  new Map([
    ["streamtype", "error"],
    ["port", "8080"],
    ["requestid", "0"],
  ]),
  new Map(),
  new Map([
    ["streamtype", "data"],
    ["port", "8080"],
    ["requestid", "0"],
    ["several", "a\0b"],
  ]),
];

test("the dictionary is SPDY/3's", () => {
  let [low, high] = [1, 0];
  for (const byte of headerDictionary()) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  assert.equal(headerDictionary().length, 1423);
  assert.equal(high * 65_536 + low, DICTIONARY_ID);
});

test("header blocks are those of one zlib stream, in both directions", async () => {
  const dictionary = headerDictionary();
  const inflate = createInflate({ dictionary, finishFlush: constants.Z_SYNC_FLUSH });
  const deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });
  const [compressor, decompressor] = [new HeaderCompressor(), new HeaderDecompressor()];
  for (const headers of [...BLOCKS, ...BLOCKS]) {
    const inflated = await turn(inflate, compressor.compress(headers));
    assert.equal(inflated.readUInt32BE(0), headers.size);
    assert.deepEqual(decompressor.decompress(await turn(deflate, inflated)), headers);
  }
  inflate.destroy();
  deflate.destroy();
});

test("a window of more than 32 KiB of headers still decodes", () => {
  const [compressor, decompressor] = [new HeaderCompressor(), new HeaderDecompressor()];
  for (let block = 0; block < 8; block++) {
    const headers = new Map([["value", `${block}`.repeat(20_000)]]);
    assert.deepEqual(decompressor.decompress(compressor.compress(headers)), headers);
  }
});

test("frames have exactly these bytes", () => {
  const golden: [SpdyFrame, string][] = [
    [{ type: "ping", id: 1 }, "80030006 00000004 00000001"],
    [{ type: "rst-stream", streamId: 3, status: 5 }, "80030003 00000008 00000003 00000005"],
    [{ type: "goaway", lastStreamId: 7, status: 0 }, "80030007 00000008 00000007 00000000"],
    [{ type: "window-update", streamId: 1, delta: 4096 }, "80030009 00000008 00000001 00001000"],
    [
      { type: "settings", settings: [{ flags: 1, id: 7, value: 65_536 }] },
      "80030004 0000000c 00000001 01000007 00010000",
    ],
    [{ type: "data", streamId: 5, fin: true, bytes: hex("6869") }, "00000005 01000002 6869"],
  ];
  for (const [frame, bytes] of golden) {
    assert.deepEqual(Buffer.from(new FrameEncoder().encode(frame)), hex(bytes), frame.type);
    assert.deepEqual([...new FrameDecoder().push(hex(bytes))], [frame], frame.type);
  }
});

test("every length is bounded", () => {
  const refused: [string, RegExp][] = [
    ["80030001 00ffffff", /control frame of 16777215 bytes/],
    ["80020006 00000004 00000001", /SPDY version 2/],
    ["80030006 00000005 0000000100", /wanted 4/],
    ["80030004 00000008 ffffffff 00000000", /wanted/],
    ["80030003 00000008 00000000 00000005", /stream 0/],
    ["00000000 00000000", /DATA on stream 0/],
    ["80030002 00000008 00000001 00000000", /dictionary/],
  ];
  for (const [bytes, message] of refused) {
    assert.throws(() => [...new FrameDecoder().push(hex(bytes))], { name: "SpdyError", message });
  }
});

test("headers that would be longer than a block, or inflate to more, are refused", async () => {
  const long = new Map([["value", "x".repeat(HEADER_BLOCK_MAX_BYTES)]]);
  assert.throws(() => new HeaderCompressor().compress(long), SpdyError);
  const dictionary = headerDictionary();
  const deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });
  const bomb = await turn(deflate, Buffer.alloc(4 * HEADER_BLOCK_MAX_BYTES));
  deflate.destroy();
  assert.ok(bomb.length < 1_000);
  assert.throws(() => new HeaderDecompressor().decompress(bomb), SpdyError);
});

test("unknown control frames are skipped, long DATA passes in pieces", () => {
  const decoder = new FrameDecoder();
  assert.deepEqual(
    [...decoder.push(hex("8003000a 00000002 abcd 00000001 01000004 61"))],
    [{ type: "data", streamId: 1, fin: false, bytes: hex("61") }],
  );
  assert.deepEqual(
    [...decoder.push(hex("626364"))],
    [{ type: "data", streamId: 1, fin: true, bytes: hex("626364") }],
  );
});
