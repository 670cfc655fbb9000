import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { landlockVersion } from "../sys/landlock.ts";
import { openConfinement } from "./confined.ts";

test("a confined program reads, talks and runs, but writes no file", {
  skip: landlockVersion() > 0 ? false : "needs Landlock, in kernels from 5.13",
}, (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-confined-"));
  t.after(() => rmSync(directory, { recursive: true }));
  using confinement = openConfinement();
  assert.ok(confinement);
  const file = path.join(directory, "file");
  const script = `read -r line < /proc/version; echo "$line" > /dev/null; echo read; echo x > ${file}`;
  const { stdout, stderr, status } = spawnSync(confinement.path, ["/bin/sh", "-c", script], {
    encoding: "utf8",
  });
  assert.equal(stdout, "read\n");
  assert.match(stderr, /cannot create|Permission denied/);
  assert.notEqual(status, 0);
  assert.equal(existsSync(file), false);
});
