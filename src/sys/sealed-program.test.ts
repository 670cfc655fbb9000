import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { test } from "node:test";
import { sealProgram } from "./sealed-program.ts";

test("a sealed program runs, cannot be written, and is gone when disposed", () => {
  const sealed = sealProgram("/bin/echo");
  try {
    const { stdout } = spawnSync(sealed.path, ["hello"], { encoding: "utf8" });
    assert.equal(stdout, "hello\n");
    const write = () => {
      const fd = openSync(sealed.path, "r+");
      return spawnSync("/bin/sh", ["-c", "echo x >&3"], {
        stdio: ["ignore", "ignore", "ignore", fd],
      }).status;
    };
    let outcome: unknown;
    try {
      outcome = write();
    } catch (error) {
      outcome = (error as NodeJS.ErrnoException).code;
    }
    assert.ok(outcome === 1 || outcome === 2 || outcome === "EPERM", String(outcome));
  } finally {
    sealed[Symbol.dispose]();
  }
  assert.notEqual(spawnSync(sealed.path, ["hello"]).status, 0);
});
