import { closeSync } from "node:fs";
import { check, libc } from "./libc.ts";
import { SysError } from "./sys-error.ts";

// JUSTIFICATION: `child_process.spawn` forks, which copies this process's page tables: 6 ms with
// 100 MB of memory, on the main thread. posix_spawn(3) shares them until the exec: 0.2 ms.
// SAFETY: the opaque structures are larger than glibc's, are destroyed in `finally`, and do not
// move, as buffers of this size live outside of the garbage collected heap.
const spawnCall = libc.func(
  "int posix_spawn(_Out_ int *pid, str path, void *actions, void *attributes, str *argv, str *envp)",
);
const actionsInit = libc.func("int posix_spawn_file_actions_init(void *actions)");
const actionsDestroy = libc.func("int posix_spawn_file_actions_destroy(void *actions)");
const addDuplicate = libc.func(
  "int posix_spawn_file_actions_adddup2(void *actions, int fd, int as)",
);
const addOpen = libc.func(
  "int posix_spawn_file_actions_addopen(void *actions, int fd, str path, int flags, uint mode)",
);
const addDirectory = libc.func("int posix_spawn_file_actions_addchdir_np(void *actions, str path)");
const addCloseFrom = libc.func(
  "int posix_spawn_file_actions_addclosefrom_np(void *actions, int fd)",
);
const attributesInit = libc.func("int posix_spawnattr_init(void *attributes)");
const attributesDestroy = libc.func("int posix_spawnattr_destroy(void *attributes)");
const setFlags = libc.func("int posix_spawnattr_setflags(void *attributes, short flags)");
const setDefaults = libc.func("int posix_spawnattr_setsigdefault(void *attributes, void *set)");
const setMask = libc.func("int posix_spawnattr_setsigmask(void *attributes, void *set)");
const waitCall = libc.func("int waitpid(int pid, _Out_ int *status, int options)");
const duplicateAbove = libc.func("fcntl", "int", ["int", "int", "int"]);

const STRUCTURE_BYTES = 1024;
const SIGNAL_SET_BYTES = 128;
const SET_SIGNAL_DEFAULTS_AND_MASK = 0x04 | 0x08;
const F_DUPFD_CLOEXEC = 1030;
const O_RDWR = 2;
const WNOHANG = 1;

/** A program to start. */
export interface SpawnRequest {
  /** Absolute path. */
  file: string;
  args: readonly string[];
  directory: string;
  env: Readonly<Record<string, string>>;
  /** What the child has as descriptors 0, 1, 2 …; "ignore" is /dev/null. The caller closes them. */
  descriptors: readonly (number | "ignore")[];
}

/**
 * Starts a program without forking this process: signals as usual, only the given descriptors.
 * Returns its PID, which the caller has to `reap`. @throws SysError ENOENT, EACCES, EAGAIN
 * Source: posix_spawn(3).
 */
export function spawnProgram(request: SpawnRequest): number {
  const { file, args, directory, env, descriptors } = request;
  const [actions, attributes] = [Buffer.alloc(STRUCTURE_BYTES), Buffer.alloc(STRUCTURE_BYTES)];
  const borrowed: number[] = [];
  succeed(actionsInit(actions), "posix_spawn_file_actions_init");
  succeed(attributesInit(attributes), "posix_spawnattr_init");
  try {
    succeed(addDirectory(actions, directory), "posix_spawn_file_actions_addchdir_np");
    descriptors.forEach((fd, target) => {
      if (fd === "ignore")
        return succeed(addOpen(actions, target, "/dev/null", O_RDWR, 0), "addopen");
      // One that lies among the targets could be overwritten before its turn.
      const source = fd < descriptors.length ? moveUp(fd, descriptors.length) : fd;
      if (source !== fd) borrowed.push(source);
      succeed(addDuplicate(actions, source, target), "posix_spawn_file_actions_adddup2");
    });
    // Libraries of this process may have opened some for all that it starts.
    succeed(addCloseFrom(actions, descriptors.length), "posix_spawn_file_actions_addclosefrom_np");
    const every = Buffer.alloc(SIGNAL_SET_BYTES, 0xff);
    succeed(setDefaults(attributes, every), "posix_spawnattr_setsigdefault");
    succeed(setMask(attributes, Buffer.alloc(SIGNAL_SET_BYTES)), "posix_spawnattr_setsigmask");
    succeed(setFlags(attributes, SET_SIGNAL_DEFAULTS_AND_MASK), "posix_spawnattr_setflags");
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const pid = [0];
    const argv = [file, ...args, null];
    succeed(
      spawnCall(pid, file, actions, attributes, argv, [...variables, null]),
      `posix_spawn "${file}"`,
    );
    return pid[0] ?? -1;
  } finally {
    actionsDestroy(actions);
    attributesDestroy(attributes);
    for (const fd of borrowed) closeSync(fd);
  }
}

/** These calls return the error number instead of setting errno. */
function succeed(errno: number, call: string): void {
  if (errno !== 0) throw SysError.of(errno, call);
}

function moveUp(fd: number, above: number): number {
  return check(duplicateAbove(fd, F_DUPFD_CLOEXEC, above), "fcntl(F_DUPFD_CLOEXEC)");
}

/**
 * Takes the exit status of a child that `spawnProgram` started, so that it does not stay a zombie;
 * one that still runs is waited for off the main thread. Resolves when it is gone, with its exit
 * code or 128 + the number of the signal that ended it. Source: waitpid(2).
 */
export function reap(pid: number): Promise<number> {
  const status = [0];
  if (waitCall(pid, status, WNOHANG) !== 0) return Promise.resolve(exitCodeOf(status[0] ?? 0));
  return new Promise((resolve) =>
    waitCall.async(pid, status, 0, () => resolve(exitCodeOf(status[0] ?? 0))),
  );
}

/** The same without waiting: false for a child that still runs. */
export function reapIfEnded(pid: number): boolean {
  return waitCall(pid, [0], WNOHANG) !== 0;
}

function exitCodeOf(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}
