import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { spreadBelow } from "./file.ts";

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
