import { closeSync, openSync, writeFileSync } from "node:fs";
import { check, libc } from "./libc.ts";
import { bindMount } from "./mount.ts";

// SAFETY: integers only. Between leaving and re-entering the own namespace nothing else runs.
const unshareCall = libc.func("int unshare(int flags)");
const setnsCall = libc.func("int setns(int fd, int type)");
const CLONE_NEWIPC = 0x08000000;
const OWN = "/proc/thread-self/ns/ipc";

/**
 * Creates an IPC namespace and keeps it alive as a bind mount at `file`, which must not exist. Undo
 * with `unmount` and `rm`. @throws SysError. Source: ipc_namespaces(7).
 */
export function createIpcNamespace(file: string): void {
  writeFileSync(file, "", { flag: "wx", mode: 0o444 });
  const own = openSync(OWN, "r");
  try {
    check(unshareCall(CLONE_NEWIPC), "unshare(ipc)");
    try {
      bindMount(OWN, file);
    } finally {
      check(setnsCall(own, CLONE_NEWIPC), "setns(ipc)");
    }
  } finally {
    closeSync(own);
  }
}
