import { constants } from "node:fs";
import { check, libc, SYSCALL } from "./libc.ts";
import { SysError } from "./sys-error.ts";

// SAFETY: koffi copies strings and pins buffers for the duration of each synchronous call;
// descriptors are returned to the caller, who closes them.
const openat2Call = libc.func("syscall", "long", ["long", "int", "str", "void *", "size_t"]);
const closeCall = libc.func("int close(int fd)");
const mknodCall = libc.func("mknod", "int", ["str", "uint", "ulong"]);
const lsetxattrCall = libc.func("lsetxattr", "int", ["str", "str", "void *", "size_t", "int"]);
const lgetxattrCall = libc.func("lgetxattr", "long", ["str", "str", "void *", "size_t"]);
const flockCall = libc.func("flock", "int", ["int", "int"]);
const pipe2Call = libc.func("int pipe2(_Out_ int *fds, int flags)");
const dup3Call = libc.func("dup3", "int", ["int", "int", "int"]);

const O_CLOEXEC = 0o2000000;
const RESOLVE = { noMagicLinks: 0x2, beneath: 0x8, inRoot: 0x10 } as const;

/** How a path is resolved below a directory, whatever symbolic links it holds. */
export interface OpenBelow {
  /** Descriptor of the directory. */
  directoryFd: number;
  /** Flags of open(2), as in `fs.constants`; default read-only. */
  flags?: number;
  mode?: number;
  /**
   * "root": the directory is "/" for absolute links and "..", as in chroot(2).
   * "beneath": a path that would leave it fails with EXDEV.
   */
  resolve: "root" | "beneath";
}

/**
 * Opens a path that an attacker may control, without ever leaving the directory, race-free.
 * Returns a close-on-exec descriptor that the caller closes. @throws SysError ENOENT, EXDEV, ELOOP
 * Source: openat2(2).
 */
export function openBelow(name: string, options: OpenBelow): number {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt((options.flags ?? constants.O_RDONLY) | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(options.mode ?? 0), 8);
  const scope = options.resolve === "root" ? RESOLVE.inRoot : RESOLVE.beneath;
  how.writeBigUInt64LE(BigInt(scope | RESOLVE.noMagicLinks), 16);
  for (let attempt = 0; ; attempt++) {
    const fd = Number(openat2Call(SYSCALL.openat2, options.directoryFd, name, how, how.byteLength));
    if (fd >= 0) return fd;
    const error = SysError.last(`openat2 "${name}"`);
    // EAGAIN: a rename elsewhere on the system raced with ".."; the man page says to try again.
    if (error.code !== "EAGAIN" || attempt >= 100) throw error;
  }
}

/**
 * Closes what `openBelow` returned. In the main thread `fs.closeSync` does too; in others it warns of
 * a descriptor that Node.js has not opened. @throws SysError EBADF
 */
export function closeBelow(fd: number): void {
  check(closeCall(fd), "close");
}

/** Kinds of special files. */
export type SpecialFile =
  | { kind: "character" | "block"; major: number; minor: number }
  | { kind: "fifo" };

/** Creates a device node or FIFO at `path`, which must not exist. @throws SysError EEXIST, EPERM */
export function makeSpecialFile(path: string, options: { file: SpecialFile; mode: number }): void {
  const { file } = options;
  const type = { character: 0o020000, block: 0o060000, fifo: 0o010000 }[file.kind];
  const device = file.kind === "fifo" ? 0 : deviceNumber(file.major, file.minor);
  check(mknodCall(path, type | (options.mode & 0o7777), device), `mknod "${path}"`);
}

function deviceNumber(major: number, minor: number): number {
  // glibc's layout; majors and minors in use fit 32 bits of it.
  return (
    ((major & 0xfff) << 8) +
    (minor & 0xff) +
    (minor & 0xfff00) * 0x1000 +
    Math.floor(major / 0x1000) * 2 ** 44
  );
}

/** Sets an extended attribute of the file itself, never of a link's target. @throws SysError */
export function setAttribute(path: string, name: string, value: Uint8Array): void {
  const result = lsetxattrCall(path, name, value, value.byteLength, 0);
  check(result, `lsetxattr ${name} "${path}"`);
}

/** Reads an extended attribute of at most 64 KiB; undefined when absent. @throws SysError */
export function getAttribute(path: string, name: string): Buffer | undefined {
  const buffer = Buffer.alloc(64 * 1024);
  const size = Number(lgetxattrCall(path, name, buffer, buffer.byteLength));
  if (size >= 0) return buffer.subarray(0, size);
  const error = SysError.last(`lgetxattr ${name} "${path}"`);
  if (error.code === "ENODATA" || error.code === "ENOTSUP") return undefined;
  throw error;
}

/** Locks the open file for this process, if nobody else holds it. Source: flock(2). */
export function tryLock(fd: number): boolean {
  const LOCK_EX_NB = 2 | 4;
  if (flockCall(fd, LOCK_EX_NB) === 0) return true;
  const error = SysError.last("flock");
  if (error.code === "EAGAIN") return false;
  throw error;
}

/** A real pipe, unlike the socket pairs of `child_process`; both ends close on exec. */
export function makePipe(): { readFd: number; writeFd: number } {
  const fds = [0, 0];
  check(pipe2Call(fds, O_CLOEXEC), "pipe2");
  return { readFd: fds[0] ?? -1, writeFd: fds[1] ?? -1 };
}

/** Makes `target` another name of `source`, closing what it was. Source: dup3(2). */
export function replaceDescriptor(source: number, target: number): void {
  check(dup3Call(source, target, O_CLOEXEC), "dup3");
}

const syncfsCall = libc.func("int syncfs(int fd)");

/** Writes the whole file system of the open file to disk, off the main thread. @throws SysError */
export function syncFileSystem(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    syncfsCall.async(fd, (error: Error | null, result: number) => {
      if (error) reject(error);
      else if (result < 0) reject(SysError.of(5, "syncfs"));
      else resolve();
    });
  });
}
