import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { farMountOf, farMounts } from "./far-mount.ts";
import { startStallingMount } from "./stalling-mount-fixture.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";

test("a path to a file system that does not answer is known without asking it", {
  skip,
}, async () => {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-far-")));
  const target = path.join(directory, "far");
  mkdirSync(target);
  const stalling = await startStallingMount(target);
  try {
    await stalling.stall();
    symlinkSync("far/directory", path.join(directory, "in"));
    symlinkSync(path.join(directory, "in"), path.join(directory, "absolute"));
    symlinkSync("loop", path.join(directory, "loop"));
    const leadsTo = (name: string) => farMountOf(path.join(directory, name))?.target;
    for (const name of ["far", "far/directory/deep", "in", "absolute/x", "./far//", "x/../far"]) {
      assert.equal(leadsTo(name), target, name);
    }
    for (const name of ["", "fare", "absent/deep", "loop", "../far"]) {
      assert.equal(leadsTo(name), undefined, name);
    }
    assert.equal(farMountOf(target)?.type, "fuse.stalling");
  } finally {
    await stalling[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  }
  assert.ok(!farMounts().some((mount) => mount.target === target));
});
