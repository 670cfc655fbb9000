import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { unmountBelow } from "../../sys/mount.ts";
import { ConfigurationError } from "./environment.ts";
import { bindSubPath } from "./sub-path.ts";

const root = process.getuid?.() === 0 ? false : "needs root";

function withVolume(use: (paths: { volume: string; target: string }) => void): void {
  const directory = mkdtempSync(path.join(tmpdir(), "sub-path-"));
  try {
    const volume = path.join(directory, "volume");
    mkdirSync(volume);
    writeFileSync(path.join(directory, "outside"), "secret");
    use({ volume, target: path.join(directory, "binds", "0") });
  } finally {
    unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true });
  }
}

test("a missing directory is made and bound", { skip: root }, () =>
  withVolume(({ volume, target }) => {
    bindSubPath(volume, { subPath: "a/b", target });
    writeFileSync(path.join(target, "file"), "x");
    assert.equal(readFileSync(path.join(volume, "a/b/file"), "utf8"), "x");
  }),
);

test("what is made in a volume is as open as the volume is", { skip: root }, () =>
  withVolume(({ volume, target }) => {
    chmodSync(volume, 0o2777);
    bindSubPath(volume, { subPath: "a/b", target });
    for (const made of ["a", "a/b"]) {
      assert.equal((statSync(path.join(volume, made)).mode & 0o7777).toString(8), "2777");
    }
  }),
);

test("a file is bound as a file, also through a link inside the volume", { skip: root }, () =>
  withVolume(({ volume, target }) => {
    writeFileSync(path.join(volume, "file"), "x");
    symlinkSync("file", path.join(volume, "link"));
    bindSubPath(volume, { subPath: "link", target });
    assert.equal(readFileSync(target, "utf8"), "x");
  }),
);

test("no link and no dots lead out of the volume", { skip: root }, () =>
  withVolume(({ volume, target }) => {
    symlinkSync("../outside", path.join(volume, "relative"));
    symlinkSync("/etc", path.join(volume, "absolute"));
    for (const subPath of ["relative", "absolute/passwd", "../outside", "/etc/passwd"]) {
      assert.throws(() => bindSubPath(volume, { subPath, target }), ConfigurationError, subPath);
    }
  }),
);
