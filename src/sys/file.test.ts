import assert from "node:assert/strict";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { spreadBelow, tryLock } from "./file.ts";

test("a directory whose entries are to be spread still takes them, on any file system", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-spread-"));
  try {
    spreadBelow(directory);
    spreadBelow(directory);
    mkdirSync(path.join(directory, "one"));
    assert.ok(statSync(path.join(directory, "one")).isDirectory());
    spreadBelow("/proc");
    assert.throws(() => spreadBelow(path.join(directory, "missing")), { code: "ENOENT" });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

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
