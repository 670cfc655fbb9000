import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createMessageCodec, type MessageTable } from "./message-codec.ts";
import { WireWriter } from "./wire-writer.ts";

const TABLE: MessageTable = {
  Pod: {
    name: "1 string",
    ready: "2 bool",
    exitCode: "3 int32",
    createdAt: "4 int64",
    sizes: "5 repeated uint64",
    labels: "6 map string",
    containers: "7 repeated Container",
    main: "8 Container",
    log: "9 bytes",
  },
  Container: { id: "1 string", attempt: "16 uint32" },
};
const EMPTY = {
  name: "",
  ready: false,
  exitCode: 0,
  createdAt: 0,
  sizes: [],
  labels: {},
  containers: [],
  log: new Uint8Array(),
};

test("what was not sent is zero or empty, and a message absent", () => {
  const codec = createMessageCodec(TABLE);
  assert.deepEqual(codec.decode("Pod", Buffer.alloc(0)), EMPTY);
  assert.equal(codec.encode("Pod", EMPTY).length, 0);
  assert.deepEqual(codec.decode("Pod", codec.encode("Pod", { main: {} })), {
    ...EMPTY,
    main: { id: "", attempt: 0 },
  });
});

test("the bytes are those of protobuf's encoding guide", () => {
  const codec = createMessageCodec({
    Test: { a: "1 int32", b: "2 string", f: "6 repeated int32" },
  });
  const hex = (message: object) => codec.encode("Test", message).toString("hex");
  assert.equal(hex({ a: 150 }), "089601");
  assert.equal(hex({ b: "testing" }), "120774657374696e67");
  assert.equal(hex({ f: [3, 270, 86942] }), "3206038e029ea705");
  assert.equal(hex({ a: -2 }), "08feffffffffffffffff01");
});

test("repeated numbers are read one by one too, and unknown fields passed over", () => {
  const codec = createMessageCodec(TABLE);
  const bytes = new WireWriter().integer(5, 1).integer(5, 2).text(99, "later").finish();
  assert.deepEqual(codec.decode("Pod", bytes), { ...EMPTY, sizes: [1, 2] });
});

test("a label may have any name", () => {
  const codec = createMessageCodec(TABLE);
  const labels = Object.fromEntries([["__proto__", "x"]]);
  const { labels: read } = codec.decode("Pod", codec.encode("Pod", { labels })) as typeof EMPTY;
  assert.deepEqual(Object.entries(read), [["__proto__", "x"]]);
});

test("what is written is read", () => {
  const codec = createMessageCodec(TABLE);
  const plain = { noNullPrototype: true };
  const container = fc.record({ id: fc.string(), attempt: fc.nat() }, plain);
  const pod = fc.record({
    name: fc.string({ unit: "grapheme" }),
    ready: fc.boolean(),
    exitCode: fc.integer(),
    createdAt: fc.maxSafeInteger(),
    sizes: fc.array(fc.maxSafeNat()),
    labels: fc.dictionary(fc.string(), fc.string(), plain),
    containers: fc.array(container),
    main: container,
    log: fc.uint8Array(),
  });
  fc.assert(
    fc.property(pod, (message) => {
      const read = codec.decode("Pod", codec.encode("Pod", message)) as typeof message;
      assert.deepEqual({ ...read, log: [...read.log] }, { ...message, log: [...message.log] });
    }),
  );
});

test("bytes that are no message are refused", () => {
  const codec = createMessageCodec(TABLE);
  assert.throws(() => codec.decode("Pod", Buffer.from("0a05", "hex")), /cut off/);
  assert.throws(() => codec.decode("Pod", Buffer.from("0801", "hex")), /wire type/);
  assert.throws(() => createMessageCodec({ A: { b: "1 C" } }), /"C" of field "b"/);
});
