import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AuthorityFilter } from "./authority-filter.ts";
import { decodeHuffman } from "./huffman.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.from([0, 0, 0, type, flags, 0, 0, 0, 1]);
  header.writeUIntBE(payload.length, 0, 3);
  return Buffer.concat([header, payload]);
}

function filtered(...chunks: Buffer[]): string {
  const filter = new AuthorityFilter();
  const [preface, ...rest] = [PREFACE, ...chunks].flatMap((chunk) => filter.push(chunk));
  assert.deepEqual(preface, PREFACE);
  return Buffer.concat(rest).toString("hex");
}

test("Huffman codes are read as RFC 7541, C.4, has them", () => {
  const text = (hex: string) => decodeHuffman(Buffer.from(hex, "hex"))?.toString();
  assert.equal(text("f1e3c2e5f23a6ba0ab90f4ff"), "www.example.com");
  assert.equal(text("a8eb10649cbf"), "no-cache");
  assert.equal(
    text("d07abe941054d444a8200595040b8166e082a62d1bff"),
    "Mon, 21 Oct 2013 20:13:21 GMT",
  );
  assert.equal(text("00"), undefined);
});

test("slashes of an authority become dashes, all else stays", () => {
  const path = Buffer.from("/run/a.sock");
  const block = (value: Buffer) =>
    Buffer.concat([Buffer.from([0x83, 0x41, value.length]), value, Buffer.from([0xbe])]);
  assert.equal(
    filtered(frame(1, 4, block(path))),
    frame(1, 4, block(Buffer.from("-run-a.sock"))).toString("hex"),
  );
  const data = frame(0, 1, path);
  assert.equal(filtered(data), data.toString("hex"));
});

test("a coded authority is written plainly", () => {
  const coded = Buffer.from("418cf1e3c2e5f23a6ba0ab90f4ff", "hex");
  const plain = Buffer.concat([Buffer.from([0x41, 15]), Buffer.from("www.example.com")]);
  assert.equal(filtered(frame(1, 4, coded)), frame(1, 4, plain).toString("hex"));
});

test("padding goes, priority stays, and a block in two frames becomes one", () => {
  const value = Buffer.from("/x");
  const head = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 9, 0x41]), Buffer.from([0, 0])]);
  const rest = Buffer.concat([Buffer.from([2]), value]);
  const expected = Buffer.concat([Buffer.from([0, 0, 0, 0, 9, 0x41, 2]), Buffer.from("-x")]);
  assert.equal(
    filtered(frame(1, 0x28, head), frame(9, 4, rest)),
    frame(1, 0x24, expected).toString("hex"),
  );
});

test("it does not matter how the bytes are cut", () => {
  const frames = [
    frame(4, 0, Buffer.alloc(6)),
    frame(1, 4, Buffer.concat([Buffer.from([0x41, 2]), Buffer.from("/x")])),
    frame(0, 1, Buffer.alloc(100, 7)),
  ];
  const whole = Buffer.concat([PREFACE, ...frames]);
  const expected = filtered(...frames);
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
      const ends = [...cuts.toSorted((a, b) => a - b), whole.length];
      const filter = new AuthorityFilter();
      let at = 0;
      const passed = ends.flatMap((end) => filter.push(whole.subarray(at, (at = end))));
      assert.equal(Buffer.concat(passed).subarray(PREFACE.length).toString("hex"), expected);
    }),
  );
});

test("broken headers are refused", () => {
  assert.throws(() => filtered(frame(1, 4, Buffer.from([0x41, 9]))), { name: "FrameError" });
  assert.throws(() => filtered(frame(9, 4, Buffer.alloc(1))), { name: "FrameError" });
  assert.throws(() => filtered(frame(1, 0xc, Buffer.from([9]))), { name: "FrameError" });
});
