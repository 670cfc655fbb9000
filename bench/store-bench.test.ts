import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { benchStore } from "./store-bench.ts";

test("the store benchmark still runs", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-bench-"));
  try {
    const figures = await benchStore(directory, 40);
    for (const [name, value] of Object.entries(figures)) assert.ok(value > 0, name);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
