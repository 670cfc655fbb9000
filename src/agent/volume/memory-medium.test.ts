import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryMediumBytes } from "./memory-medium.ts";

test("a volume in memory is as large as its limit, its pod and its node let it be", () => {
  const bytes = (sizeLimit?: string, podBytes?: number, allocatable = "1Gi") =>
    memoryMediumBytes({ sizeLimit, podBytes, allocatable });
  assert.equal(bytes(), 1 << 30);
  assert.equal(bytes(undefined, 50 << 20), 50 << 20);
  assert.equal(bytes("2Mi", 50 << 20), 2 << 20);
  assert.equal(bytes("80Mi", 50 << 20), 50 << 20);
  assert.equal(bytes("0", 0), 1 << 30);
  assert.equal(bytes("2Gi", 4 * 2 ** 30), 1 << 30);
  assert.equal(memoryMediumBytes({} as Parameters<typeof memoryMediumBytes>[0]), undefined);
});
