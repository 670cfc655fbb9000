import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { openMountPoints } from "./mount-points.ts";

const TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount";

test("a layer has the usual mount points of a container, those alone, for every user", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-points-"));
  const before = process.umask(0o077);
  try {
    const points = openMountPoints(directory);
    const layerFor = (...paths: string[]) =>
      points.layerFor(
        paths.map((containerPath) => ({ hostPath: "/", containerPath, readOnly: false })),
      );
    const plain = layerFor("/data");
    assert.deepEqual(readdirSync(plain).toSorted(), ["dev", "proc", "sys"]);
    assert.equal(layerFor(), plain);
    const full = layerFor("/etc/hosts", TOKEN, "/etc/resolv.conf", "/data");
    const [sticky, ...names] = readdirSync(full, { recursive: true, encoding: "utf8" }).toSorted();
    assert.equal(sticky, "dev");
    assert.deepEqual(
      names.filter((name) => !name.startsWith("var")),
      ["etc", "etc/hosts", "etc/resolv.conf", "proc", "sys"],
    );
    const modeOf = (name: string) => statSync(path.join(full, name)).mode & 0o7777;
    for (const name of ["", "etc", "proc", "var", "var/run", TOKEN]) {
      assert.equal(modeOf(name), 0o755, name);
    }
    assert.equal(modeOf("etc/hosts"), 0o644);
    // Another agent finds it as it is, or makes what one that died has not.
    rmSync(path.join(full, "etc"), { recursive: true });
    const again = openMountPoints(directory).layerFor(
      ["/etc/hosts", TOKEN, "/etc/resolv.conf"].map((containerPath) => {
        return { hostPath: "/", containerPath, readOnly: true };
      }),
    );
    assert.equal(again, full);
    assert.deepEqual(readdirSync(path.join(full, "etc")).toSorted(), ["hosts", "resolv.conf"]);
  } finally {
    process.umask(before);
    rmSync(directory, { recursive: true });
  }
});
