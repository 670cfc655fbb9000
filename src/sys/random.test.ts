import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "./random.ts";

test("bytes are of the asked size, owned by the caller and never the same", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 2_000; i++) {
    const bytes = systemRandom.bytes(16);
    assert.equal(bytes.length, 16);
    seen.add(Buffer.from(bytes).toString("hex"));
    bytes.fill(0);
  }
  assert.equal(seen.size, 2_000);
  assert.equal(systemRandom.bytes(100_000).length, 100_000);
  assert.equal(systemRandom.bytes(0).length, 0);
});
