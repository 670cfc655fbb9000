import { libc, SYSCALL } from "./libc.ts";
import { SysError } from "./sys-error.ts";

// JUSTIFICATION: Node.js cannot ask for a system call by its number.
// SAFETY: no memory is given; without a descriptor or a process, each of the calls is refused.
const anyCall = libc.func("syscall", "long", ["long", "int", "void *", "void *", "size_t"]);

const NEEDED: Readonly<Record<string, number>> = {
  openat2: SYSCALL.openat2,
  pidfd_open: SYSCALL.pidfdOpen,
  pidfd_send_signal: SYSCALL.pidfdSendSignal,
};

/**
 * The names of those `calls` that this kernel does not have; by default of what nothing stands in
 * for: files of images are opened, and processes signalled, by them. Linux has them all since 5.6.
 */
export function missingCalls(calls: Readonly<Record<string, number>> = NEEDED): string[] {
  return Object.entries(calls)
    .filter(([name, number]) => {
      const result = Number(anyCall(number, -1, null, null, 0));
      return result < 0 && SysError.last(name).code === "ENOSYS";
    })
    .map(([name]) => name);
}
