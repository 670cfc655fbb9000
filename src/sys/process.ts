import { closeSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { check, libc, SYSCALL } from "./libc.ts";
import { SysError } from "./sys-error.ts";

// SAFETY: integers only; descriptors are owned by the returned value.
const pidfdOpenCall = libc.func("syscall", "long", ["long", "int", "uint"]);
const pidfdSignalCall = libc.func("syscall", "long", ["long", "int", "int", "void *", "uint"]);

const prctlCall = libc.func("prctl", "int", ["int", "ulong", "ulong", "ulong", "ulong"]);

const PR_SET_PDEATHSIG = 1;

/** A process that cannot be mistaken for a later one with the same PID. */
export interface ProcessHandle extends Disposable {
  readonly pid: number;
  /** Sends a signal such as "SIGTERM"; false when the process is gone. @throws SysError EPERM */
  signal(name: string): boolean;
}

/**
 * Identity of a process across restarts of the agent, beside its PID: start in clock ticks since
 * boot. Undefined when it does not run (a zombie does not). Source: proc_pid_stat(5).
 */
export function processStartTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/**
 * Ends this process, by SIGKILL, with the thread that started it, whatever it does or waits for by
 * then; at once when that has ended already. Source: PR_SET_PDEATHSIG in prctl(2). @throws SysError
 */
export function endWithParent(parentPid: number): void {
  check(prctlCall(PR_SET_PDEATHSIG, constants.signals.SIGKILL, 0, 0, 0), "prctl");
  // It would not be told of an end that came before.
  if (process.ppid !== parentPid) process.kill(process.pid, "SIGKILL");
}

/**
 * Opens a process; undefined when it is gone or, with `startTime`, when the PID is another's now.
 * Source: pidfd_open(2). @throws SysError EMFILE
 */
export function openProcess(pid: number, startTime?: string): ProcessHandle | undefined {
  const fd = Number(pidfdOpenCall(SYSCALL.pidfdOpen, pid, 0));
  if (fd < 0) {
    const error = SysError.last("pidfd_open");
    if (error.code === "ESRCH" || error.code === "EINVAL") return undefined;
    throw error;
  }
  // Compared after opening: from here on the descriptor and the PID mean the same process.
  if (startTime !== undefined && processStartTime(pid) !== startTime) {
    closeSync(fd);
    return undefined;
  }
  let closed = false;
  return {
    pid,
    signal(name) {
      if (closed) throw new Error(`Cannot signal process ${pid}: its handle is closed`);
      const result = pidfdSignalCall(SYSCALL.pidfdSendSignal, fd, signalNumber(name), null, 0);
      if (result === 0) return true;
      const error = SysError.last("pidfd_send_signal");
      if (error.code === "ESRCH") return false;
      throw error;
    },
    [Symbol.dispose]() {
      if (!closed) closeSync(fd);
      closed = true;
    },
  };
}

/**
 * PIDs of the children of a process, theirs, and so on; none when it is gone. Who forks meanwhile
 * may be missed: stop the process before. Source: proc_tid_children(5).
 */
export function descendantsOf(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean),
    );
    return children.map(Number).flatMap((child) => [child, ...descendantsOf(child)]);
  } catch {
    return [];
  }
}

/** Number of "SIGTERM", "TERM", "15" or "SIGRTMIN+3". @throws RangeError for an unknown name */
export function signalNumber(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const full = name.startsWith("SIG") ? name : `SIG${name}`;
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(full);
  if (realTime) {
    const offset = Number(realTime[3] ?? 0) * (realTime[2] === "-" ? -1 : 1);
    return (realTime[1] === "MIN" ? 34 : 64) + offset;
  }
  const number = (constants.signals as Record<string, number>)[full];
  if (number === undefined) throw new RangeError(`Unknown signal "${name}"`);
  return number;
}

/** Effective capabilities of this process as a bit mask. Source: capabilities(7). */
export function effectiveCapabilities(): bigint {
  const status = readFileSync("/proc/self/status", "utf8");
  return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
}

/** Changes every time the machine boots. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
