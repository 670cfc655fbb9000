import { closeSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import koffi from "koffi";
import { SysError } from "./sys-error.ts";

// JUSTIFICATION: namespaces have no Node.js API, and forking `ip netns` costs 5 ms a pod.
// SAFETY: strings are copied for the call; descriptors are closed in `finally`. Everything between
// entering and leaving a namespace is synchronous, so no other code of this thread sees it.
const libc = koffi.load("libc.so.6");
const unshareCall = libc.func("int unshare(int flags)");
const setnsCall = libc.func("int setns(int fd, int type)");
const mountCall = libc.func(
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)",
);
const umountCall = libc.func("int umount2(const char *target, int flags)");
const gettidCall = libc.func("int gettid()");

const CLONE_NEWNET = 0x40000000;
const MS_BIND = 0x1000;
const MNT_DETACH = 2;

function currentNamespacePath(): string {
  return `/proc/self/task/${gettidCall()}/ns/net`;
}

function enter(fd: number): void {
  if (setnsCall(fd, CLONE_NEWNET) < 0) throw SysError.last("setns(net)");
}

/**
 * Creates a network namespace and keeps it alive as a bind mount at `file`, which is created.
 * The calling thread stays in its own namespace. Not idempotent. @throws SysError
 * Source: network_namespaces(7).
 */
export function createNetworkNamespace(file: string): void {
  const fd = openNewNetworkNamespace();
  try {
    adoptNetworkNamespace(descriptorPath(fd), file);
  } finally {
    closeSync(fd);
  }
}

/**
 * Creates a network namespace that lives as long as the returned descriptor, which the caller
 * closes. The calling thread stays in its own. @throws SysError
 */
export function openNewNetworkNamespace(): number {
  const own = openSync(currentNamespacePath(), "r");
  try {
    if (unshareCall(CLONE_NEWNET) < 0) throw SysError.last("unshare(net)");
    try {
      return openSync(currentNamespacePath(), "r");
    } finally {
      enter(own);
    }
  } finally {
    closeSync(own);
  }
}

/** Where a descriptor of this process is found as a file. */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/**
 * Keeps the network namespace at `made` alive at `file` too, which is created. Not idempotent.
 * @throws SysError ENOENT, EINVAL when there is none
 */
export function adoptNetworkNamespace(made: string, file: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o711 });
  writeFileSync(file, "", { flag: "wx", mode: 0o444 });
  if (mountCall(made, file, null, MS_BIND, null) === 0) return;
  const error = SysError.last(`mount --bind (network namespace) "${file}"`);
  rmSync(file, { force: true });
  throw error;
}

/** Unmounts and removes the file; the kernel frees an unused namespace later. Idempotent. */
export function removeNetworkNamespace(file: string): void {
  umountCall(file, MNT_DETACH); // EINVAL and ENOENT mean that it is not mounted: as wanted
  rmSync(file, { force: true });
}

/**
 * Whether a network namespace is mounted at `file`: a plain file lies on its directory's device, a
 * namespace does not. False when the file is missing.
 */
export function isNetworkNamespace(file: string): boolean {
  try {
    return statSync(file).dev !== statSync(path.dirname(file)).dev;
  } catch {
    return false;
  }
}

/**
 * Runs `inside` with this thread in the namespace at `file`. `inside` must be synchronous: sockets
 * that it creates stay in that namespace. @throws SysError ENOENT or EINVAL for a dead namespace
 */
export function withinNetworkNamespace<T>(file: string, inside: () => T): T {
  const own = openSync(currentNamespacePath(), "r");
  try {
    const target = openSync(file, "r");
    try {
      enter(target);
    } finally {
      closeSync(target);
    }
    try {
      return inside();
    } finally {
      enter(own);
    }
  } finally {
    closeSync(own);
  }
}
