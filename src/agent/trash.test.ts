import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { silentLogger } from "../lib/logger.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { openTrash } from "./trash.ts";

test("what is discarded is out of sight at once and gone at the end", async () => {
  const base = mkdtempSync(path.join(tmpdir(), "nephos-trash-"));
  try {
    const directory = path.join(base, "trash");
    mkdirSync(path.join(directory, "left-by-a-crash"), { recursive: true });
    const trash = openTrash(directory, { clock: new VirtualClock(), logger: silentLogger });
    const pod = path.join(base, "pods", "uid");
    for (let round = 0; round < 2; round++) {
      mkdirSync(path.join(pod, "deep", "er"), { recursive: true });
      writeFileSync(path.join(pod, "deep", "file"), "x");
      trash.discard(pod);
      assert.ok(!existsSync(pod));
    }
    trash.discard(pod);
    await trash[Symbol.asyncDispose]();
    assert.deepEqual(readdirSync(directory), []);
  } finally {
    rmSync(base, { recursive: true });
  }
});
