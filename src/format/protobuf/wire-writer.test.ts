import assert from "node:assert/strict";
import { test } from "node:test";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

test("what is written is read", () => {
  const inner = new WireWriter().text(1, "é").boolean(2, true);
  const bytes = new WireWriter()
    .integer(1, 2 ** 40)
    .message(300, inner)
    .text(3, "")
    .finish();
  const reader = new WireReader(bytes);
  assert.ok(reader.next());
  assert.equal(reader.number, 1);
  reader.skip();
  assert.ok(reader.next());
  assert.equal(reader.number, 300);
  const nested = new WireReader(reader.bytes());
  assert.ok(nested.next());
  assert.equal(nested.text(), "é");
  assert.ok(reader.next());
  assert.deepEqual([reader.number, reader.text()], [3, ""]);
  assert.equal(reader.next(), false);
});

test("numbers are written in groups of seven bits, the lowest first", () => {
  assert.deepEqual([...new WireWriter().integer(1, 300).finish()], [0x08, 0xac, 0x02]);
});
