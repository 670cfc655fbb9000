import { closeSync, openSync, read, rmSync, writeFileSync } from "node:fs";
import { arch } from "node:os";
import { promisify } from "node:util";
import { ownerProgram } from "../format/elf/owner-program.ts";
import { makePipe } from "./file.ts";
import { check, libc, SYSCALL } from "./libc.ts";
import { bindMount, unmount } from "./mount.ts";
import { reap, spawnProgram } from "./posix-spawn.ts";
import { openProcess } from "./process.ts";
import { sealProgram } from "./sealed-program.ts";

// JUSTIFICATION: Node.js has no API for mounts. SAFETY: koffi copies the strings and pins the
// buffer for each synchronous call; the descriptors are closed here.
const openTreeCall = libc.func("syscall", "long", ["long", "int", "str", "uint"]);
const setAttributesCall = libc.func(
  "long syscall(long number, int fd, str path, uint flags, void *attributes, size_t size)",
);
const moveMountCall = libc.func(
  "long syscall(long number, int from, str path, int to, str target, uint flags)",
);

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const O_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_IDMAP = 0x0010_0000n;
const MOUNT_ATTR_BYTES = 32;

/** User ids that a user namespace has. */
export const USER_NAMESPACE_IDS = 65_536;

/** Files at which namespaces are mounted; the last two belong to the first. */
export interface OwnedNamespaces {
  user: string;
  network: string;
  ipc: string;
}

/**
 * Creates a user namespace whose ids from 0 on are the node's from `firstId` on, with a network and
 * an IPC namespace that belong to it, and keeps them alive as bind mounts. Takes about 2 ms, off
 * the main thread. Not idempotent: undo with `removeUserNamespace`. @throws SysError, Error when
 * the kernel gives none. Source: user_namespaces(7).
 */
export async function createUserNamespace(files: OwnedNamespaces, firstId: number): Promise<void> {
  const machine = arch();
  if (machine !== "x64" && machine !== "arm64") {
    throw new Error(`Cannot make user namespaces on the architecture ${machine}`);
  }
  // A process of many threads, as this one, cannot enter one itself.
  using program = sealProgram(ownerProgram(machine));
  const { readFd, writeFd } = makePipe();
  let pid: number;
  try {
    const descriptors = ["ignore" as const, writeFd];
    pid = spawnProgram({ file: program.path, args: [], directory: "/", env: {}, descriptors });
  } finally {
    closeSync(writeFd);
  }
  using owner = openProcess(pid);
  try {
    const { bytesRead } = await promisify(read)(readFd, Buffer.alloc(1), 0, 1, null);
    if (bytesRead === 0) {
      const limit = "/proc/sys/user/max_user_namespaces";
      throw new Error(`Cannot make a user namespace: the kernel refuses; see ${limit}`);
    }
    const map = `0 ${firstId} ${USER_NAMESPACE_IDS}`;
    for (const name of ["uid_map", "gid_map"]) writeFileSync(`/proc/${pid}/${name}`, map);
    for (const [name, file] of [
      ["user", files.user],
      ["net", files.network],
      ["ipc", files.ipc],
    ] as const) {
      writeFileSync(file, "", { flag: "wx", mode: 0o444 });
      bindMount(`/proc/${pid}/ns/${name}`, file);
    }
  } catch (error) {
    removeUserNamespace(files);
    throw error;
  } finally {
    closeSync(readFd);
    owner?.signal("SIGKILL");
    await reap(pid);
  }
}

/** Unmounts and removes the files; the namespaces go with their last process. Idempotent. */
export function removeUserNamespace(files: OwnedNamespaces): void {
  for (const file of [files.network, files.ipc, files.user]) {
    unmount(file);
    rmSync(file, { force: true });
  }
}

/**
 * Mounts `source` with all that is mounted below it at `target`, of one kind with it, where whoever
 * owns a file by the ids of `userNamespace` owns it. @throws SysError EINVAL for a file system that
 * cannot do that, ENOSYS before Linux 5.12. Source: mount_setattr(2), "ID-mapped mounts".
 */
export function mountMapped(request: {
  source: string;
  target: string;
  userNamespace: string;
}): void {
  const { source, target, userNamespace } = request;
  const namespaceFd = openSync(userNamespace, "r");
  try {
    const flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_RECURSIVE;
    const tree = openTreeCall(SYSCALL.openTree, AT_FDCWD, source, flags);
    const fd = check(Number(tree), `open_tree "${source}"`);
    try {
      const attributes = Buffer.alloc(MOUNT_ATTR_BYTES);
      attributes.writeBigUInt64LE(MOUNT_ATTR_IDMAP, 0);
      attributes.writeBigUInt64LE(BigInt(namespaceFd), 24);
      const within = AT_EMPTY_PATH | AT_RECURSIVE;
      const { length } = attributes;
      const set = setAttributesCall(SYSCALL.mountSetattr, fd, "", within, attributes, length);
      check(Number(set), `mount_setattr(idmap) "${source}"`);
      const onto = MOVE_MOUNT_F_EMPTY_PATH;
      const moved = moveMountCall(SYSCALL.moveMount, fd, "", AT_FDCWD, target, onto);
      check(Number(moved), `move_mount "${target}"`);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(namespaceFd);
  }
}
