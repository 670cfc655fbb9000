import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { type VolumeFiles, writeAtomically } from "./atomic-directory.ts";

const files = (contents: Record<string, string>, mode = 0o644): VolumeFiles =>
  new Map(
    Object.entries(contents).map(([name, text]) => [name, { bytes: Buffer.from(text), mode }]),
  );

function inDirectory(body: (directory: string) => void): void {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-volume-"));
  try {
    body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("a set of files replaces the set before it as a whole", () => {
  inDirectory((directory) => {
    assert.equal(writeAtomically(directory, files({ a: "1", "sub/b": "2" })), true);
    assert.equal(readFileSync(path.join(directory, "sub/b"), "utf8"), "2");
    assert.equal(writeAtomically(directory, files({ a: "1", "sub/b": "2" })), false);
    assert.equal(writeAtomically(directory, files({ a: "3" }, 0o400)), true);
    assert.equal(readFileSync(path.join(directory, "a"), "utf8"), "3");
    assert.equal(statSync(path.join(directory, "a")).mode & 0o777, 0o400);
    const shown = readdirSync(directory).filter((name) => !name.startsWith(".."));
    assert.deepEqual(shown, ["a"]);
    assert.equal(readdirSync(directory).filter((name) => name.startsWith("..v")).length, 1);
  });
});

test("files are as open as they are to be, and belong to whom they are for", () => {
  inDirectory((directory) => {
    const own: VolumeFiles = new Map([["own", { bytes: Buffer.of(), mode: 0o600, userId: 1234 }]]);
    const group = { groupId: 5678 };
    writeAtomically(directory, new Map([...files({ open: "" }, 0o666), ...own]), group);
    const told = ["open", "own"].map((name) => {
      const { mode, uid, gid } = statSync(path.join(directory, name));
      return `${(mode & 0o777).toString(8)} ${uid} ${gid}`;
    });
    assert.deepEqual(told, ["666 0 5678", "640 1234 5678"]);
  });
});

test("a path that leads out of the volume is refused and changes nothing", () => {
  inDirectory((directory) => {
    writeAtomically(directory, files({ a: "1" }));
    for (const bad of ["../x", "/x", "a/../../x", "."]) {
      assert.throws(() => writeAtomically(directory, files({ [bad]: "" })), RangeError, bad);
    }
    assert.equal(readFileSync(path.join(directory, "a"), "utf8"), "1");
  });
});
