import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMounts } from "../sys/mount.ts";
import { isNeedless } from "./self-mount.ts";

const DISK = "1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw";
const SELF = "2 1 8:1 /var/lib/kubelet /var/lib/kubelet rw shared:2 - ext4 /dev/sda1 rw";
const KUBELET = "/var/lib/kubelet";

test("only a directory that is mounted at itself, with nothing of others in it, is unmounted", () => {
  const judge = (...lines: string[]) => isNeedless(KUBELET, parseMounts(`${lines.join("\n")}\n`));
  assert.equal(judge(DISK, SELF), true);
  assert.equal(judge(DISK), false);
  const beside = "3 1 0:40 / /var/lib/kubelet-2 rw - tmpfs tmpfs rw";
  assert.equal(judge(DISK, SELF, beside), true);
  const secret = "3 2 0:40 / /var/lib/kubelet/pods/a/volumes/token rw - tmpfs tmpfs rw";
  assert.equal(judge(DISK, SELF, secret), false);
  const stacked = "3 2 8:2 / /var/lib/kubelet rw - ext4 /dev/sdb1 rw";
  assert.equal(judge(DISK, SELF, stacked), false);
  assert.equal(judge(DISK, stacked), false);
  const other = "2 1 8:1 /srv/kubelet /var/lib/kubelet rw - ext4 /dev/sda1 rw";
  assert.equal(judge(DISK, other), false);
});
