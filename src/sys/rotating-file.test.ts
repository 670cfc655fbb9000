import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { RotatingFile } from "./rotating-file.ts";

function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-rotating-"));
  return run(directory).finally(() => rmSync(directory, { recursive: true }));
}

/** Waits until the file holds so many bytes. */
async function written(file: string, sizeBytes: number): Promise<void> {
  for (let turn = 0; turn < 100_000; turn++) {
    if (statSync(file).size >= sizeBytes) return;
    await setImmediate();
  }
  throw new assert.AssertionError({ message: "nothing more was written" });
}

test("lines are appended in order, to what an earlier process wrote too", () =>
  inDirectory(async (directory) => {
    const file = path.join(directory, "audit", "audit.log");
    {
      using log = new RotatingFile(file);
      log.write("a\n");
      log.write("b\n");
      await written(file, 4);
      log.write("c\n");
    }
    using more = new RotatingFile(file);
    more.write("d\n");
    await written(file, 8);
    assert.equal(readFileSync(file, "utf8"), "a\nb\nc\nd\n");
    assert.equal(statSync(file).mode & 0o777, 0o600);
  }));

test("full files are kept under other names, the oldest goes", () =>
  inDirectory(async (directory) => {
    const file = path.join(directory, "audit.log");
    using log = new RotatingFile(file, { fileMaxBytes: 4, filesMax: 3 });
    for (const text of ["aaaa", "bbbb", "cccc", "dddd"]) {
      log.write(text);
      await written(file, 4);
      for (let turn = 0; readFileSync(file, "utf8") !== text && turn < 100_000; turn++) {
        await setImmediate();
      }
    }
    assert.deepEqual(readdirSync(directory).sort(), ["audit.log", "audit.log.1", "audit.log.2"]);
    assert.equal(readFileSync(`${file}.2`, "utf8"), "bbbb");
    assert.equal(log.dropped, 0);
  }));

test("what finds no room is dropped and counted, nobody waits", () =>
  inDirectory(async (directory) => {
    const file = path.join(directory, "audit.log");
    using log = new RotatingFile(file, { waitingMaxBytes: 4 });
    for (let at = 0; at < 5; at++) log.write("ab");
    assert.equal(log.dropped, 3);
    await written(file, 4);
  }));
