import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { isOfDeadProcess, processIdentity } from "./process-identity.ts";
import { makeScratchDirectory } from "./scratch-directory.ts";

const MODULE = path.join(import.meta.dirname, "scratch-directory.js");
const MAKE = `import { makeScratchDirectory } from ${JSON.stringify(MODULE)};
const made = makeScratchDirectory("scratch", process.argv[1]);
console.log(made.path);`;

const make = (parent: string, then = "") => [
  "--input-type=module",
  "--eval",
  MAKE + then,
  "--",
  parent,
];

test("a scratch directory goes when it is disposed, and with its process", () => {
  const parent = mkdtempSync(path.join(tmpdir(), "nephos-scratch-"));
  try {
    {
      using own = makeScratchDirectory("scratch", parent);
      assert.ok(existsSync(own.path));
    }
    const { stdout } = spawnSync(process.execPath, make(parent), { encoding: "utf8" });
    assert.match(stdout, /scratch-/);
    assert.deepEqual(readdirSync(parent), []);
  } finally {
    rmSync(parent, { recursive: true });
  }
});

test("what a killed process left is removed by the next, and nothing else", async () => {
  const parent = mkdtempSync(path.join(tmpdir(), "nephos-scratch-"));
  try {
    const child = spawn(process.execPath, make(parent, "setInterval(() => {}, 1e3)"));
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const left = path.basename(`${line}`.trim());
    const others = ["scratch-aB3xYz", "scratch-00000000-1-1-1-aaaaaa", "mine"];
    for (const other of others) mkdirSync(path.join(parent, other));
    using alive = makeScratchDirectory("scratch", parent);
    const own = path.basename(alive.path);
    assert.deepEqual(readdirSync(parent).sort(), [...others, left, own].sort(), "it lives");
    child.kill("SIGKILL");
    await once(child, "exit");
    using _ = makeScratchDirectory("other", parent);
    assert.ok(existsSync(path.join(parent, left)), "another prefix");
    using later = makeScratchDirectory("scratch", parent);
    const names = [...others, own, path.basename(later.path)];
    assert.deepEqual(
      readdirSync(parent)
        .filter((one) => /^scr|^mine/.test(one))
        .sort(),
      names.sort(),
    );
  } finally {
    rmSync(parent, { recursive: true });
  }
});

test("only a process of this boot and PID namespace that is gone is known to be", () => {
  const own = processIdentity();
  const [boot, pidNamespace, pid, start] = own.split("-");
  assert.match(`nephos-pod-bench-${own}`, /^[a-z\d-]{1,63}$/);
  assert.equal(isOfDeadProcess(`a-${own}-x`), false);
  assert.equal(isOfDeadProcess(`a-${boot}-${pidNamespace}-${pid}-${Number(start) + 1}`), true);
  assert.equal(isOfDeadProcess(`a-ffffffff-${pidNamespace}-4194305-1`), false);
  assert.equal(isOfDeadProcess(`a-${boot}-1-4194305-1`), false);
  assert.equal(isOfDeadProcess(`a-${pid}`), false);
});
