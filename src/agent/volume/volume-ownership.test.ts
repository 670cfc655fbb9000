import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { giveToGroup } from "./volume-ownership.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";

test("a volume's files are shared with the group, and nothing outside of it", { skip }, () => {
  const base = mkdtempSync(path.join(tmpdir(), "nephos-group-"));
  try {
    const [volume, outside] = [path.join(base, "volume"), path.join(base, "outside")];
    for (const directory of [volume, outside, path.join(volume, "sub")]) {
      mkdirSync(directory, { mode: 0o700 });
    }
    const file = path.join(volume, "sub/file");
    const secret = path.join(outside, "secret");
    for (const name of [file, secret]) {
      writeFileSync(name, "");
      chmodSync(name, 0o700);
    }
    symlinkSync(outside, path.join(volume, "directory-link"));
    symlinkSync(secret, path.join(volume, "file-link"));
    giveToGroup(volume, { groupId: 4242, onlyOnMismatch: true });
    const seen = (name: string) => {
      const { gid, mode } = statSync(name);
      return `${gid} ${(mode & 0o7777).toString(8)}`;
    };
    assert.equal(seen(volume), "4242 2770");
    assert.equal(seen(path.join(volume, "sub")), "4242 2770");
    assert.equal(seen(file), "4242 770");
    assert.equal(seen(outside), "0 700");
    assert.equal(seen(secret), "0 700");
    assert.equal(lstatSync(path.join(volume, "file-link")).gid, 4242);

    writeFileSync(path.join(volume, "later"), "");
    chmodSync(path.join(volume, "later"), 0o600);
    giveToGroup(volume, { groupId: 4242, onlyOnMismatch: true });
    assert.equal(seen(path.join(volume, "later")), "4242 600", "the root is right already");
    giveToGroup(volume, { groupId: 4242, onlyOnMismatch: false });
    assert.equal(seen(path.join(volume, "later")), "4242 660");
  } finally {
    rmSync(base, { recursive: true });
  }
});
