import koffi from "koffi";
import { SysError } from "./sys-error.ts";

// JUSTIFICATION: Node.js has no API for mounts, namespaces, pidfds, extended attributes, FIFOs or
// SEQPACKET sockets; forking a helper for each costs milliseconds a pod.
/** The C library of the process: glibc, opened once. Each file of this layer declares its calls. */
export const libc: ReturnType<typeof koffi.load> = koffi.load("libc.so.6");

/** Turns the C convention into an exception. `syscall` names the call and what it was about. */
export function check(result: number | bigint, syscall: string): number {
  if (result < 0) throw SysError.last(syscall);
  return Number(result);
}

/** Numbers of calls that glibc has no function for; the same on every 64-bit architecture. */
export const SYSCALL = {
  pidfdSendSignal: 424,
  openTree: 428,
  moveMount: 429,
  pidfdOpen: 434,
  openat2: 437,
  pidfdGetfd: 438,
  mountSetattr: 442,
  landlockCreateRuleset: 444,
} as const;
