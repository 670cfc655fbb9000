import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { prepareLauncher } from "./gvisor-launcher.ts";

test("the launcher runs a program with its arguments and environment behind a filter", (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-launcher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const launcher = prepareLauncher(directory);
  assert.equal(prepareLauncher(directory), launcher, "which is written once");
  const run = (...command: string[]) =>
    spawnSync(launcher, command, { encoding: "utf8", env: { GREETING: "hello" } });
  const script =
    'echo "$1 $GREETING"; while read -r l; do echo "$l"; done < /proc/self/status; exit 7';
  const { status, stdout } = run("/bin/sh", "-c", script, "sh", "first");
  assert.equal(status, 7);
  assert.match(stdout, /^first hello$/m);
  const isRoot = process.getuid?.() === 0;
  assert.match(stdout, isRoot ? /^Seccomp:\s+2$/m : /^Seccomp:/m);
  assert.equal(run("/nowhere").status, 127);
  assert.equal(run().status, 127);
});
