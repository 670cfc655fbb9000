import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { placeProgram } from "../../format/elf/place-program.ts";
import { unmountBelow } from "../../sys/mount.ts";
import { needlessMounts } from "./lean-mounts.ts";
import { programMachine, writeProgram } from "./own-program.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const module = fileURLToPath(new URL("./lean-mounts.js", import.meta.url));

test("needless are mounts on the way to nothing that is needed, without those below them", () => {
  const targets = [
    [
      "/",
      "/proc",
      "/proc/sys/fs/binfmt_misc",
      "/sys",
      "/sys/fs/cgroup/unified",
      "/sys/kernel/debug",
    ],
    ["/run", "/run/n", "/run/n/0/pods/a", "/run/n/0/pods/a/memory", "/run/user/0", "/data-other"],
    ["/data", "/data/nodes", "/data/nodes/0/pods/a/memory", "/mnt", "/mnt/disk", "/mnt-b"],
  ].flat();
  const mounts = targets.map((target) => ({ target }));
  const needed = ["/run/n/0", "/data/nodes/0", "/proc", "/sys/fs/cgroup"];
  assert.deepEqual(
    targets.filter((target) => !needlessMounts(mounts, needed).includes(target)),
    [
      ["/", "/proc", "/sys", "/sys/fs/cgroup/unified", "/run", "/run/n", "/run/n/0/pods/a/memory"],
      ["/data", "/data/nodes", "/mnt/disk"],
    ].flat(),
  );
});

/** In a process of its own: mounts are made, and descriptors held, that no other test may meet. */
function seen(directory: string, { probe = directory } = {}): string {
  const script = `
    const { createLeanMounts } = await import(${JSON.stringify(module)});
    const { mount } = await import("../../sys/mount.js");
    const { spawnSync } = await import("node:child_process");
    const { mkdirSync, writeFileSync } = await import("node:fs");
    const d = ${JSON.stringify(directory)};
    const place = (name) => {
      mount({ source: name, target: d + "/" + name, type: "tmpfs" });
      writeFileSync(d + "/" + name + "/file", name);
    };
    place("before");
    const log = [];
    const logger = { debug: (message) => log.push(message) };
    const programs = d + "/programs";
    const lean = createLeanMounts([${JSON.stringify(probe)}, d], { programs, logger });
    await lean.prepare([{ file: "/bin/true", env: {} }]);
    place("after");
    place("taken");
    mkdirSync(d + "/taken/inner");
    mount({ source: "inner", target: d + "/taken/inner", type: "tmpfs" });
    if (!lean.namespace) process.stdout.write(log.join());
    else {
      const script = "grep -o ' " + d + "[^ ]*' /proc/self/mounts; cat " + d + "/*/file";
      const program = ["/bin/busybox", "sh", "-c", script];
      const run = spawnSync(d + "/place", [lean.namespace, d + "/taken", ...program]);
      process.stdout.write(run.stdout);
      process.stdout.write(run.stderr);
    }
    lean[Symbol.dispose]();`;
  const node = [process.execPath, "--input-type=module", "-e", script];
  const child = spawnSync("unshare", ["--mount", "--propagation", "private", ...node], {
    cwd: path.dirname(module),
    encoding: "utf8",
  });
  assert.equal(child.status, 0, child.stderr);
  return child.stdout;
}

function withDirectory(body: (directory: string) => void): void {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-lean-")));
  for (const name of ["before", "after", "taken"]) mkdirSync(path.join(directory, name));
  const placement = { groups: 0, gated: false, mounts: 1 };
  writeProgram(path.join(directory, "place"), placeProgram(programMachine(), placement));
  try {
    body(directory);
  } finally {
    unmountBelow(directory);
    rmSync(directory, { recursive: true });
  }
}

test("a program sees of the mounts of pods those that it took along, with what lies on them", {
  skip: root,
}, () => {
  withDirectory((directory) => {
    const taken = path.join(directory, "taken");
    assert.equal(seen(directory), ` ${taken}\n ${taken}/inner\ntaken`);
  });
});

test("where no mount can be moved, runtimes see all mounts of the node, as before", {
  skip: root,
}, () => {
  withDirectory((directory) => {
    const probe = path.join(directory, "absent");
    assert.equal(seen(directory, { probe }), "runtimes see all mounts of the node");
  });
});
