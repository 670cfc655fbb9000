import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { createSpread } from "./spread.ts";

const EXT4_MAGIC = 0xef53;

test("directories that come and go among many are made once, on any file system", () => {
  for (const above of [tmpdir(), "/dev/shm"]) {
    const parent = mkdtempSync(path.join(above, "nephos-spread-"));
    try {
      const spread = createSpread();
      const names = Array.from({ length: 40 }, (_, index) => path.join(parent, String(index)));
      for (const name of names) spread.make(name, 0o700);
      for (const name of names) spread.make(name, 0o700);
      for (const name of names) assert.equal(statSync(name).mode & 0o777, 0o700);
      createSpread().make(path.join(parent, "missing", "one"), 0o700);
      assert.equal(statSync(path.join(parent, "missing", "one")).mode & 0o777, 0o700);
    } finally {
      rmSync(parent, { recursive: true });
    }
  }
});

test("on ext4 they lie in several block groups, some of them together", (t) => {
  const parent = mkdtempSync(path.join(tmpdir(), "nephos-spread-"));
  try {
    if (statfsSync(parent).type !== EXT4_MAGIC)
      return t.skip("needs temporary files on ext4: block groups are its own");
    const spread = createSpread();
    const inodes = Array.from({ length: 48 }, (_, index) => {
      const directory = path.join(parent, String(index));
      spread.make(directory, 0o755);
      return statSync(directory).ino;
    });
    // At least so many of mke2fs are in a group.
    const groups = new Set(inodes.map((inode) => Math.floor(inode / 1024)));
    assert.ok(groups.size > 1 && groups.size < 24, [...groups].join(" "));
    const [flags] = execFileSync("lsattr", ["-d", parent], { encoding: "utf8" }).split(" ");
    assert.doesNotMatch(flags ?? "", /T/);
    return undefined;
  } finally {
    rmSync(parent, { recursive: true });
  }
});
