import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

const INSTALL = path.resolve(import.meta.dirname, "../../scripts/install");
const root = process.getuid?.() === 0 ? false : "needs root";

/** Runs it where no package is installed and programs do as their scripts say. */
function install(programs: Readonly<Record<string, string>>, optional: readonly string[] = []) {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-install-"));
  const calls = path.join(directory, "calls");
  writeFileSync(calls, "");
  try {
    for (const [name, script] of Object.entries({ "dpkg-query": "exit 1", ...programs })) {
      const file = path.join(directory, name);
      writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> ${calls}\n${script}\n`);
      chmodSync(file, 0o755);
    }
    const sinceMs = performance.now();
    const env = {
      ...process.env,
      PATH: `${directory}:${process.env["PATH"]}`,
      NEPHOS_LISTS_SECONDS: "1",
      NEPHOS_FETCH_SECONDS: "2",
    };
    const { status, stdout, stderr } = spawnSync(INSTALL, optional, { env, encoding: "utf8" });
    const seconds = (performance.now() - sinceMs) / 1000;
    return { status, stdout, stderr, seconds, calls: readFileSync(calls, "utf8") };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const URI = "'http://deb.example/crun.deb' crun_1.8_amd64.deb 376148 SHA256:0";

test("without a package server the installation says what it does, and ends", {
  skip: root,
}, () => {
  // The lists are empty, and no server ever answers.
  const apt = 'case "$*" in *print-uris*) exit 100;; *) exec sleep 60;; esac';
  const { status, stdout, stderr, seconds } = install({ "apt-get": apt });
  assert.equal(status, 1);
  assert.match(stdout, /^installing Debian packages: crun .*\n {2}fetching the lists .* 1 s\)\n$/);
  assert.match(
    stderr,
    /^nephos: Cannot install the Debian packages crun .*; connect this machine .* again: .*\.\n$/,
  );
  assert.ok(seconds < 20, `${seconds} s`);
});

test("packages that no server gives are named, and waited for in vain only so long", {
  skip: root,
}, () => {
  const apt = `case "$*" in *print-uris*) echo "${URI}";; *) exec sleep 60;; esac`;
  const { status, stdout, stderr, seconds } = install({ "apt-get": apt });
  assert.equal(status, 1);
  assert.match(stdout, /^ {2}fetching crun_1\.8_amd64\.deb \(0\.4 MB\)$/m);
  assert.match(stderr, /no package server gave them in time/);
  assert.ok(seconds < 20, `${seconds} s`);
});

test("packages that are here already need no server", { skip: root }, () => {
  const apt = 'case "$*" in *update*) exit 100;; esac';
  const { status, stderr, calls } = install({ "apt-get": apt, npm: "exit 0" });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(calls, /^apt-get .* --no-download .*crun/m);
  assert.doesNotMatch(calls, / update/);
});

test("packages that need not be there are gone without, and lists are asked for once", {
  skip: root,
}, () => {
  const query = 'case "$*" in *runsc*|*skopeo*) exit 1;; *) echo "install ok installed";; esac';
  const programs = { "dpkg-query": query, "apt-get": "exit 100", npm: "exit 0" };
  const { status, stdout, calls } = install(programs, ["runsc", "skopeo"]);
  assert.equal(status, 0);
  assert.match(stdout, /^going on without runsc$/m);
  assert.match(stdout, /^going on without skopeo$/m);
  assert.equal(calls.match(/ update$/gm)?.length, 1);
});
