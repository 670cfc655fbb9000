import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { tryLock } from "./file.ts";

test("a file that somebody else has locked is not ours until they let go", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-lock-"));
  const one = openSync(path.join(directory, "lock"), "w");
  const two = openSync(path.join(directory, "lock"), "r");
  try {
    assert.ok(tryLock(one));
    assert.equal(tryLock(two), false);
    closeSync(one);
    assert.ok(tryLock(two));
  } finally {
    closeSync(two);
    rmSync(directory, { recursive: true });
  }
});
