import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { mountOverlay, parseMounts, readMounts, unmountBelow } from "./mount.ts";
import { needsPrivateMounts, shareMounts } from "./mount-namespace.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const module = fileURLToPath(new URL("./mount-namespace.js", import.meta.url));

test("a hybrid cgroup layout, and only that, needs private mounts", () => {
  const v1 = "33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  const unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  const v2 = "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n";
  assert.equal(needsPrivateMounts(parseMounts(v1 + unified)), true);
  assert.equal(needsPrivateMounts(parseMounts(v1)), false);
  assert.equal(needsPrivateMounts(parseMounts(v2)), false);
});

test("mounts made in a private namespace outlive the process that made them", {
  skip: root,
}, () => {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-mounts-")));
  for (const name of ["layer", "upper", "work", "merged"]) mkdirSync(path.join(directory, name));
  writeFileSync(path.join(directory, "layer", "hello"), "from the layer");
  try {
    const script = `
      const { enterPrivateMounts } = await import(${JSON.stringify(module)});
      const { mountOverlay, readMounts } = await import("./mount.js");
      const d = ${JSON.stringify(directory)};
      enterPrivateMounts({ sharedDirectories: [d] });
      mountOverlay({ layers: [d + "/layer"], upper: d + "/upper", work: d + "/work",
        target: d + "/merged" });
      const unified = readMounts().filter((m) => m.type === "cgroup2" && m.target !== "/sys/fs/cgroup");
      console.log(unified.length);
      process.kill(process.pid, "SIGKILL");`;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: path.dirname(module),
      encoding: "utf8",
    });
    assert.equal(child.stdout, "0\n", child.stderr);
    assert.equal(child.signal, "SIGKILL");
    if (needsPrivateMounts()) {
      const merged = path.join(directory, "merged");
      assert.ok(readMounts().some((entry) => entry.target === merged && entry.type === "overlay"));
    }
  } finally {
    unmountBelow(directory);
    rmSync(directory, { recursive: true });
  }
  // Others may mount meanwhile: only what this test made counts.
  const left = readMounts().filter((entry) => entry.target.startsWith(directory));
  assert.deepEqual(left, []);
});

test("sharing twice mounts once; an overlay takes more layers than a page of options holds", {
  skip: root,
}, () => {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-mounts-")));
  try {
    shareMounts(directory);
    shareMounts(directory);
    assert.equal(readMounts().filter((entry) => entry.target === directory).length, 1);
    const layers = Array.from({ length: 60 }, (_, at) => {
      const layer = path.join(directory, `layer-${at}-${"x".repeat(100)}`);
      mkdirSync(layer);
      writeFileSync(path.join(layer, `file-${at}`), "");
      return layer;
    });
    const [upper, work, target] = ["u", "w", "t"].map((name) => path.join(directory, name));
    for (const name of [upper, work, target]) mkdirSync(name as string);
    mountOverlay({ layers, upper: upper!, work: work!, target: target! });
    const seen = spawnSync("ls", [target!], { encoding: "utf8" }).stdout.trim().split("\n");
    assert.equal(seen.length, 60);
  } finally {
    unmountBelow(directory);
    rmSync(directory, { recursive: true });
  }
});
