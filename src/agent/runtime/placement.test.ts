import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { placeProgram } from "../../format/elf/place-program.ts";
import { makeSpecialFile } from "../../sys/file.ts";
import { programMachine, writeProgram } from "./own-program.ts";

interface Place extends Disposable {
  program: string;
  file(name: string): string;
}

/** A placing program in a directory with files for groups "a" and "b". */
function place(gated: boolean): Place {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-place-"));
  const file = (name: string) => path.join(directory, name);
  for (const name of ["a", "b"]) writeFileSync(file(name), "");
  return {
    program: writeProgram(file("place"), placeProgram(programMachine(), { groups: 2, gated })),
    file,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}

test("a program enters its groups and then is another one, with its arguments", () => {
  using at = place(false);
  const command = ["/bin/sh", "-c", 'echo "$A" "$@"', "sh", "one", "two words"];
  const args = [at.file("a"), at.file("b"), ...command];
  const { status, stdout } = spawnSync(at.program, args, { env: { A: "kept" } });
  assert.equal(status, 0);
  assert.equal(stdout.toString(), "kept one two words\n");
  for (const name of ["a", "b"]) assert.equal(readFileSync(at.file(name), "utf8"), "0");
});

test("without a group, nothing is run", () => {
  using at = place(false);
  const ran = spawnSync(at.program, [at.file("a"), at.file("absent"), "/bin/echo"]);
  assert.deepEqual([ran.status, ran.stdout.toString()], [126, ""]);
});

for (const released of [true, false]) {
  const title = released ? "passes with a byte" : "goes no further when nobody will release it";
  test(`what waits at a gate ${title}`, async () => {
    using at = place(true);
    const gate = at.file("gate");
    makeSpecialFile(gate, { file: { kind: "fifo" }, mode: 0o600 });
    const fd = openSync(gate, constants.O_RDWR | constants.O_NONBLOCK);
    const child = spawn(at.program, [gate, at.file("a"), at.file("b"), "/bin/echo"]);
    let output = "";
    child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
    const closed = once(child, "close") as Promise<[number]>;
    if (released) writeSync(fd, "1");
    else rmSync(gate);
    if (!released) closeSync(fd);
    const [code] = await closed;
    if (released) closeSync(fd);
    assert.deepEqual([code, output], released ? [0, "\n"] : [126, ""]);
    assert.equal(readFileSync(at.file("a"), "utf8"), released ? "0" : "");
  });
}
