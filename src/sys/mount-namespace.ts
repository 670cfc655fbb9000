import { mkdirSync, realpathSync } from "node:fs";
import { check, libc } from "./libc.ts";
import { bindMount, MOUNT_FLAGS, type MountEntry, mount, readMounts, unmount } from "./mount.ts";

// SAFETY: no memory is passed. unshare(2) changes this thread alone.
const unshareCall = libc.func("int unshare(int flags)");

const CLONE_NEWNS = 0x20000;
const CGROUPS = "/sys/fs/cgroup";
const DEVICES = "/dev";
const NULL_DEVICE = "/dev/null";

/**
 * True on a hybrid cgroup layout (v1 controllers plus a v2 hierarchy), on which crun before 1.9
 * refuses to run: children must not see the v2 mount. Needs no privileges.
 */
export function needsPrivateMounts(mounts: readonly MountEntry[] = readMounts()): boolean {
  const cgroups = mounts.filter((entry) => entry.target.startsWith(`${CGROUPS}/`));
  return (
    cgroups.some((entry) => entry.type === "cgroup") &&
    cgroups.some((entry) => entry.type === "cgroup2")
  );
}

/**
 * Makes `directory` a mount of its own whose mounts reach every namespace that was copied from this
 * one, in both directions: so they outlive the process that makes them. Creates it. Idempotent.
 * Undo with `unmountBelow`. Source: mount_namespaces(7), "Shared subtrees". @throws SysError
 */
export function shareMounts(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const target = realpathSync(directory);
  const entry = readMounts().findLast((mounted) => mounted.target === target);
  if (entry?.shared) return;
  if (!entry) bindMount(target, target);
  mount({ target, flags: MOUNT_FLAGS.shared | MOUNT_FLAGS.recursive });
}

/**
 * Moves this thread, the threads it starts and its future children into a mount namespace without
 * the v2 cgroup hierarchy and with a read-only /dev/null, when `needsPrivateMounts` says so (else
 * does nothing; also when called again). `sharedDirectories` are shared with the namespace left
 * behind: every mount that must survive this process, or be seen by threads that already run
 * (libuv's pool: `fs.promises`), belongs below one of them. Call on the main thread before anything
 * is mounted or spawned.
 * Returns whether it moved. @throws SysError EPERM without CAP_SYS_ADMIN
 */
export function enterPrivateMounts(options: { sharedDirectories: readonly string[] }): boolean {
  if (!needsPrivateMounts()) return false;
  for (const directory of options.sharedDirectories) shareMounts(directory);
  check(unshareCall(CLONE_NEWNS), "unshare(mount namespace)");
  mount({ target: CGROUPS, flags: MOUNT_FLAGS.private | MOUNT_FLAGS.recursive });
  for (const { target, type } of readMounts()) {
    if (type !== "cgroup2" || !target.startsWith(`${CGROUPS}/`)) continue;
    unmount(target);
    // crun makes plain directories there, which must not end up below the host's mount point.
    mount({ source: "hidden", target, type: "tmpfs", data: "mode=755" });
  }
  guardNullDevice();
  return true;
}

/**
 * Nobody changes owner or mode of a device on a read-only mount, but all read and write it: crun
 * gives the standard input of a container to the pod's root, which mostly is the node's /dev/null.
 */
function guardNullDevice(): void {
  if (!readMounts().some(({ target }) => target === DEVICES)) return;
  mount({ target: DEVICES, flags: MOUNT_FLAGS.slave | MOUNT_FLAGS.recursive });
  bindMount(NULL_DEVICE, NULL_DEVICE);
  const flags = MOUNT_FLAGS.remount | MOUNT_FLAGS.bind | MOUNT_FLAGS.readOnly;
  mount({ target: NULL_DEVICE, flags });
}
