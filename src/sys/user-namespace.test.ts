import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { unmount } from "./mount.ts";
import { createUserNamespace, mountMapped, removeUserNamespace } from "./user-namespace.ts";

const FIRST_ID = 0x7000_0000;

test("a user namespace maps ids, and files in a mount of its own belong to them", {
  skip: process.getuid?.() === 0 ? false : "needs root",
}, async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-users-"));
  const below = (name: string) => path.join(directory, name);
  const [user, network, ipc] = [below("user"), below("network"), below("ipc")];
  const [source, target] = [below("source"), below("target")];
  const files = { user, network, ipc };
  t.after(() => {
    unmount(target);
    removeUserNamespace(files);
    rmSync(directory, { recursive: true });
  });
  await createUserNamespace(files, FIRST_ID);
  const { stdout } = spawnSync(
    "nsenter",
    [`--user=${user}`, `--net=${network}`, "/bin/cat", "/proc/self/uid_map"],
    { encoding: "utf8" },
  );
  assert.deepEqual(stdout.trim().split(/ +/), ["0", `${FIRST_ID}`, "65536"]);
  for (const name of [source, target]) mkdirSync(name);
  writeFileSync(path.join(source, "file"), "text");
  mountMapped({ source, target, userNamespace: user });
  assert.equal(statSync(path.join(target, "file")).uid, FIRST_ID);
  assert.equal(readFileSync(path.join(target, "file"), "utf8"), "text");
  assert.throws(() => mountMapped({ source: "/proc", target, userNamespace: user }), {
    code: "EINVAL",
  });
  removeUserNamespace(files);
  removeUserNamespace(files);
});
