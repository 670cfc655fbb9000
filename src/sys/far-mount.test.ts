import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { farMountOf, farMounts } from "./far-mount.ts";
import { mount, unmount } from "./mount.ts";
import { startStallingMount } from "./stalling-mount-fixture.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";

test("mounts are far by what they lie on, and what lies on these is far too", () => {
  const mountinfo = [
    "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
    "2 1 8:1 /var /bound rw - ext4 /dev/sda1 rw",
    "3 1 0:40 / /mnt/nfs rw - nfs4 server:/x rw",
    "4 1 7:0 / /mnt/loop rw - ext4 /dev/loop0 rw",
    "5 1 7:1 / /mnt/near\\040loop rw - ext4 /dev/loop1 rw",
    "6 1 8:16 / /mnt/iscsi rw - xfs /dev/sdb rw",
    "7 1 0:41 / /mnt/btrfs rw - btrfs /dev/sdb2 rw",
    "8 1 0:42 / /mnt/over rw - overlay overlay rw,lowerdir=/a\\134:b:/mnt/loop/x,upperdir=/u,workdir=/w",
    "9 1 0:43 / /mnt/above rw - overlay overlay rw,lowerdir+=/mnt/over,lowerdir+=/a",
    "10 1 0:44 / /mnt/near rw - overlay overlay rw,lowerdir=l/A:l/B,upperdir=/mnt/nfsx,workdir=/w",
    "11 1 0:45 / /mnt/named rw - overlay overlay rw,lowerdir=/mnt/odd\\134:name/x",
    "12 1 0:46 / /mnt/odd:name rw - fuse.x x rw",
    "13 1 0:47 / /tmp rw - tmpfs tmpfs rw",
  ].join("\n");
  const files: Record<string, string[]> = { "7:0": ["/mnt/nfs/disk.img"], "7:1": ["/disk.img"] };
  const asked: string[] = [];
  const lookUp = (device: string) => {
    asked.push(device);
    return { isFar: ["8:1", "8:16", "/dev/sdb2"].includes(device), files: files[device] ?? [] };
  };
  const targets = farMounts(mountinfo, lookUp).map(({ target }) => target);
  assert.deepEqual(targets.toSorted(), [
    "/mnt/above",
    "/mnt/btrfs",
    "/mnt/iscsi",
    "/mnt/loop",
    "/mnt/named",
    "/mnt/nfs",
    "/mnt/odd:name",
    "/mnt/over",
  ]);
  assert.deepEqual(asked, ["7:0", "7:1", "8:16", "/dev/sdb2"], "each device once, the root never");
});

test("an overlay on a file system that does not answer is as far", { skip }, async () => {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-far-")));
  const at = (name: string) => path.join(directory, name);
  for (const name of ["far", "near", "over"]) mkdirSync(at(name));
  const stalling = await startStallingMount(at("far"));
  try {
    const lowerdir = `lowerdir=${at("near")}:${at("far/directory")}`;
    mount({ type: "overlay", source: "overlay", target: at("over"), data: lowerdir });
    await stalling.stall();
    assert.equal(farMountOf(at("over/x"))?.target, at("over"));
    assert.equal(farMountOf(at("near/x")), undefined);
  } finally {
    await stalling[Symbol.asyncDispose]();
    unmount(at("over"));
    rmSync(directory, { recursive: true });
  }
});

test("a path to a file system that does not answer is known without asking it", {
  skip,
}, async () => {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-far-")));
  const target = path.join(directory, "far");
  mkdirSync(target);
  const stalling = await startStallingMount(target);
  try {
    await stalling.stall();
    symlinkSync("far/directory", path.join(directory, "in"));
    symlinkSync(path.join(directory, "in"), path.join(directory, "absolute"));
    symlinkSync("loop", path.join(directory, "loop"));
    const leadsTo = (name: string) => farMountOf(path.join(directory, name))?.target;
    for (const name of ["far", "far/directory/deep", "in", "absolute/x", "./far//", "x/../far"]) {
      assert.equal(leadsTo(name), target, name);
    }
    for (const name of ["", "fare", "absent/deep", "loop", "../far"]) {
      assert.equal(leadsTo(name), undefined, name);
    }
    assert.equal(farMountOf(target)?.type, "fuse.stalling");
  } finally {
    await stalling[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  }
  assert.ok(!farMounts().some((mount) => mount.target === target));
});
