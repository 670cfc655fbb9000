import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

const INSTALL = path.resolve(import.meta.dirname, "../../scripts/install");
const root = process.getuid?.() === 0 ? false : "needs root";

interface Place {
  optional?: readonly string[];
  script?: string;
}

/** Runs it where no package is installed and programs do as their scripts say. */
function install(programs: Readonly<Record<string, string>>, place: Place = {}) {
  const { optional = [], script = INSTALL } = place;
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-install-"));
  const calls = path.join(directory, "calls");
  writeFileSync(calls, "");
  try {
    for (const [name, text] of Object.entries({ "dpkg-query": "exit 1", ...programs })) {
      const file = path.join(directory, name);
      writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> ${calls}\n${text}\n`);
      chmodSync(file, 0o755);
    }
    const sinceMs = performance.now();
    const env = {
      ...process.env,
      PATH: `${directory}:${process.env["PATH"]}`,
      NEPHOS_LISTS_SECONDS: "1",
      NEPHOS_FETCH_SECONDS: "2",
      NEPHOS_PROBE_SECONDS: "1",
    };
    const { status, stdout, stderr } = spawnSync(script, optional, { env, encoding: "utf8" });
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
  assert.match(stdout, /^ {2}waiting for the package servers \(at most 2 s\)$/m);
  assert.equal(stdout.match(/fetching crun/g)?.length, 1, "servers that are silent: once");
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
  const { status, stdout, calls } = install(programs, { optional: ["runsc", "skopeo"] });
  assert.equal(status, 0);
  assert.match(stdout, /^going on without runsc$/m);
  assert.match(stdout, /^going on without skopeo$/m);
  assert.equal(calls.match(/ update$/gm)?.length, 1);
});

const INSTALLED = { "dpkg-query": "echo install ok installed" };
const KEPT = `mkdir -p node_modules/koffi-${process.arch}; touch node_modules/.package-lock.json`;

/** A tree whose npm packages are missing, one of them for this platform only. */
function installNpm(npm: string) {
  const tree = mkdtempSync(path.join(tmpdir(), "nephos-install-tree-"));
  try {
    mkdirSync(path.join(tree, "scripts"));
    const script = path.join(tree, "scripts/install");
    copyFileSync(INSTALL, script);
    const own = { os: ["linux"], cpu: [process.arch], optional: true };
    const other = { ...own, cpu: ["s390"] };
    const packages = { [`node_modules/koffi-${process.arch}`]: own, "node_modules/k390": other };
    writeFileSync(path.join(tree, "package-lock.json"), JSON.stringify({ packages }, null, 2));
    return install({ ...INSTALLED, npm }, { script });
  } finally {
    rmSync(tree, { recursive: true });
  }
}

test("a registry that does not answer is not waited for: npm's own cache does", {
  skip: root,
}, () => {
  const npm = `case "$*" in view*) exec sleep 60;; *--offline*) ${KEPT};; esac`;
  const { status, stdout, stderr, calls } = installNpm(npm);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(
    stdout,
    /^installing npm packages: asking their registry \(at most 1 s\)\n {2}it does not answer: /,
  );
  assert.doesNotMatch(calls, /npm ci .*--prefer-offline/);
});

test("what npm has not kept here is told, and what to do", { skip: root }, () => {
  const withoutOptional = "mkdir node_modules; touch node_modules/.package-lock.json";
  for (const offline of ["exit 1", withoutOptional]) {
    const npm = `case "$*" in view*) exit 1;; *--offline*) ${offline};; esac`;
    const { status, stderr } = installNpm(npm);
    assert.equal(status, 1);
    assert.match(stderr, /^nephos: Cannot install the npm packages: .* not answer.*again: .*\.\n$/);
  }
});

test("a registry that answers is asked for packages, whether or not it knows one", {
  skip: root,
}, () => {
  for (const answer of ["echo 3.3.4", "echo npm error code E404; exit 1"]) {
    const npm = `case "$*" in view*) ${answer};; *) ${KEPT};; esac`;
    const { status, stdout, calls } = installNpm(npm);
    assert.equal(status, 0);
    assert.match(stdout, /^ {2}fetching what is missing of 2 \(at most 2 s\)$/m);
    assert.match(calls, /^npm ci .*--prefer-offline/m);
  }
});
