import { constants } from "node:os";
import koffi from "koffi";

// The first of several names of a number is the one that Node.js gives its own errors: EAGAIN and
// ENOTSUP, not EWOULDBLOCK and EOPNOTSUPP.
const NAMES = new Map(
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, value]) => [value, name]),
);

/** A failed system call: `code` is the errno's name, such as "ENOENT". Source: errno(3). */
export class SysError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  private constructor(errno: number, syscall: string) {
    const code = NAMES.get(errno) ?? `E${errno}`;
    super(`${syscall} failed: ${code}`);
    this.name = "SysError";
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }

  /** An error with a known number, as netlink answers carry it. */
  static of(errno: number, syscall: string): SysError {
    return new SysError(errno, syscall);
  }

  /** The error of the foreign call that just failed on this thread. */
  static last(syscall: string): SysError {
    return new SysError(koffi.errno(), syscall);
  }
}
