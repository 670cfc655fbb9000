import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const suite = fileURLToPath(new URL("./crun-runtime.suite.js", import.meta.url));

/** Why a runtime cannot be tested here, or false. */
function missing(binary: string): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  const wanted = [`/usr/bin/${binary}`, `/usr/sbin/${binary}`];
  if (!wanted.some((file) => existsSync(file))) return `needs ${binary}`;
  return ["/usr/bin/conmon", "/bin/busybox"].find((file) => !existsSync(file)) ?? false;
}

for (const binary of ["crun", "runc"]) {
  test(`${binary} passes the conformance suite of runtimes`, {
    skip: missing(binary),
  }, async () => {
    const env = { ...process.env };
    delete env["NODE_TEST_CONTEXT"];
    const child = spawn(process.execPath, [suite, binary], { env });
    let output = "";
    child.stdout.on("data", (chunk) => (output += String(chunk)));
    child.stderr.on("data", (chunk) => (output += String(chunk)));
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.equal(code, 0, output.slice(-8000));
  });
}
