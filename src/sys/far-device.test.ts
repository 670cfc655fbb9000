import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { backingOf } from "./far-device.ts";

/** A sysfs with these block devices: their directories below /sys/devices, and files in them. */
function sysfsOf(
  root: string,
  devices: Record<string, { numbers: string; files?: Record<string, string> }>,
): void {
  for (const folder of ["dev/block", "class/block"]) {
    mkdirSync(path.join(root, folder), { recursive: true });
  }
  for (const [directory, { numbers, files = {} }] of Object.entries(devices)) {
    const at = path.join(root, "devices", directory);
    mkdirSync(at, { recursive: true });
    symlinkSync(at, path.join(root, "dev/block", numbers));
    symlinkSync(at, path.join(root, "class/block", path.basename(directory)));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(at, name)), { recursive: true });
      writeFileSync(path.join(at, name), `${text}\n`);
    }
  }
}

test("what is behind a block device is read from sysfs, through partitions and what unites them", () => {
  const sys = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-sysfs-")));
  const iscsi = "platform/host2/session1/target2:0:0/2:0:0:1/block/sdb";
  const fabric = "virtual/nvme-subsystem/nvme-subsys1";
  try {
    sysfsOf(sys, {
      "pci0000:00/ata1/host0/target0:0:0/block/sda": { numbers: "8:0" },
      "pci0000:00/ata1/host0/target0:0:0/block/sda/sda1": {
        numbers: "8:1",
        files: { partition: "1" },
      },
      [iscsi]: { numbers: "8:16" },
      [`${iscsi}/sdb1`]: { numbers: "8:17", files: { partition: "1" } },
      "pci0000:00/host3/rport-3:0-0/target3:0:0/block/sdc": { numbers: "8:32" },
      "virtual/block/nbd0": { numbers: "43:0" },
      "virtual/block/loop3": { numbers: "7:3", files: { "loop/backing_file": "/mnt/a b.img" } },
      "virtual/block/dm-0": { numbers: "253:0", files: { "slaves/sda1": "", "slaves/sdb1": "" } },
      "virtual/block/dm-1": { numbers: "253:1", files: { "slaves/dm-2": "" } },
      "virtual/block/dm-2": { numbers: "253:2", files: { "slaves/loop3": "" } },
      [`${fabric}/nvme1n1`]: { numbers: "259:1" },
      "pci0000:00/nvme/nvme0/nvme0n1": { numbers: "259:0" },
    });
    mkdirSync(path.join(sys, "devices", fabric, "nvme1"));
    writeFileSync(path.join(sys, "devices", fabric, "nvme1/transport"), "tcp\n");
    const isFar = (device: string) => backingOf(device, sys).isFar;
    for (const near of ["8:0", "8:1", "7:3", "253:1", "259:0", "1:1"]) {
      assert.equal(isFar(near), false, near);
    }
    for (const far of ["8:16", "8:17", "8:32", "43:0", "253:0", "259:1"]) {
      assert.equal(isFar(far), true, far);
    }
    assert.deepEqual(backingOf("7:3", sys).files, ["/mnt/a b.img"]);
    assert.deepEqual(backingOf("253:1", sys).files, ["/mnt/a b.img"]);
  } finally {
    rmSync(sys, { recursive: true });
  }
});
