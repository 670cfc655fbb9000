import assert from "node:assert/strict";
import { test } from "node:test";
import { warningHeaders } from "./warning-headers.ts";

test("warnings become headers, each once, with nothing that a header cannot hold", () => {
  assert.deepEqual(warningHeaders([]), []);
  assert.deepEqual(warningHeaders(['a "b"\r\nc', "d", "d"]), [
    "Warning",
    '299 - "a \\"b\\"  c"',
    "Warning",
    '299 - "d"',
  ]);
});

test("too many words are cut short, then left out", () => {
  const texts = Array.from({ length: 100 }, (_, at) => `${at}`.padEnd(1_000, "x"));
  const headers = warningHeaders(texts);
  assert.equal(headers.length, 2 * 16);
  assert.equal(headers[1]?.length, '299 - ""'.length + 256);
});
