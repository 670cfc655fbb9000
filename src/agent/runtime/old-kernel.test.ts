import assert from "node:assert/strict";
import { test } from "node:test";
import { refuseOldKernel } from "./crun-runtime.ts";
import { whyUnmapped } from "./mapped-mounts.ts";

test("a kernel that nothing can be done on is refused at the begin, with what it lacks", () => {
  refuseOldKernel([]);
  assert.throws(() => refuseOldKernel(["openat2", "pidfd_open"]), {
    code: "runtime-failed",
    message: /: the kernel has no openat2, pidfd_open; use Linux 5.6 or a later one$/,
  });
});

test("who cannot have mounts with other owners is told what to change: kernel or file system", () => {
  assert.match(whyUnmapped("ENOSYS", "ext4"), /^the kernel cannot .*use Linux 5.12/);
  assert.match(
    whyUnmapped("EINVAL", "overlay"),
    /\(it is on overlay; ext4, .* can, overlay cannot\)$/,
  );
  assert.match(whyUnmapped("EPERM", undefined), /\(ext4, /);
});
