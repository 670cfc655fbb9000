import assert from "node:assert/strict";
import { test } from "node:test";
import { whyUnmapped } from "./mapped-mounts.ts";

test("who cannot have mounts with other owners is told what to change: kernel or file system", () => {
  assert.match(whyUnmapped("ENOSYS", "ext4"), /^the kernel cannot .*use Linux 5.12/);
  assert.match(
    whyUnmapped("EINVAL", "overlay"),
    /\(it is on overlay; ext4, .* can, overlay cannot\)$/,
  );
  assert.match(whyUnmapped("EPERM", undefined), /\(ext4, /);
});
