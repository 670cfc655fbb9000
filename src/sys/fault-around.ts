import { closeSync } from "node:fs";
import { libc } from "./libc.ts";

// JUSTIFICATION: who touches a page of a mapped file gets the fifteen around it, too, and no advice
// of madvise(2) stops that. It never happens where userfaultfd(2) watches for writes; whoever lets
// the kernel settle these by itself (WP_ASYNC, since Linux 6.7) is never asked for anything.
// SAFETY: integers, and buffers of the sizes that ioctl_userfaultfd(2) gives, which are read before
// the calls return. No page is write-protected, so no access of anybody changes its meaning.
const syscallCall = libc.func("long syscall(long number, long flags)");
const ioctlCall = libc.func("int ioctl(int fd, unsigned long request, _Inout_ uint8_t *argument)");

const USERFAULTFD: Partial<Record<string, number>> = { x64: 323, arm64: 282 };
const USER_MODE_ONLY = 1;
const O_CLOEXEC = 0o2000000;
const UFFDIO_API = 0xc018aa3f;
const UFFDIO_REGISTER = 0xc020aa00;
const API = 0xaan;
const WP_ASYNC = 1n << 15n;
const MODE_WP = 2n;

/** Part of the address space. */
export interface AddressRange {
  start: bigint;
  sizeBytes: bigint;
}

/**
 * From now on only those pages of mapped files become resident that are touched, one by one, until
 * the result is disposed; `undefined` where the kernel cannot, before Linux 6.7. A range that is
 * not there any more, or that was changed privately, is left as it is.
 */
export function withoutFaultAround(ranges: readonly AddressRange[]): Disposable | undefined {
  const number = USERFAULTFD[process.arch];
  if (number === undefined) return undefined;
  const descriptor = Number(syscallCall(number, USER_MODE_ONLY | O_CLOEXEC));
  if (descriptor < 0) return undefined;
  if (ioctlCall(descriptor, UFFDIO_API, words(API, WP_ASYNC, 0n)) < 0) {
    closeSync(descriptor);
    return undefined;
  }
  for (const { start, sizeBytes } of ranges) {
    ioctlCall(descriptor, UFFDIO_REGISTER, words(start, sizeBytes, MODE_WP, 0n));
  }
  return { [Symbol.dispose]: () => closeSync(descriptor) };
}

function words(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}
