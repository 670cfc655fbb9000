import type { SyscallArchitecture } from "../seccomp/syscall-numbers.ts";
import { execution } from "./launch-program.ts";
import { type ProgramStep, staticProgram, text } from "./static-program.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const O_CLOEXEC = 0x80000;
const CLONE_NEWNS = 0x20000;
/** OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC and AT_RECURSIVE. */
const TAKE_ALL = 1 | O_CLOEXEC | 0x8000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
/** Where the gate is put, which is needed when another call has come between. */
const GATE_FD = 400;
/** Where the first of the mounts is put that are taken along. */
const MOUNTS_FD = 401;

/** What stands between a monitor and the OCI runtime. */
export interface Placement {
  /** How many control groups there are to enter. */
  groups: number;
  /** It first waits for a byte out of a FIFO. */
  gated: boolean;
  /** How many directories go along into a copy of another mount namespace; undefined stays. */
  mounts?: number;
}

/**
 * A static executable that enters control groups and then is another program. Its arguments: the
 * FIFO if there is one, the files of the groups to which it writes "0", the mount namespace if it
 * is to have a copy of one and the directories or files that appear there as they are here, with
 * all that is mounted on and below them, the program and what that one is given. It ends with code
 * 126 when there is no such group, namespace or directory, or the FIFO ends without a byte. A shell
 * would enter the groups for a millisecond of processor time. Source: open_tree(2), move_mount(2).
 */
export function placeProgram(
  machine: SyscallArchitecture,
  { groups, gated, mounts }: Placement,
): Uint8Array {
  const first = gated ? 2 : 1;
  const files = Array.from({ length: groups }, (_, at) => first + at);
  const next = first + groups;
  const steps = [
    ...(gated ? waiting() : []),
    ...files.flatMap(entering),
    ...(mounts === undefined ? [] : moving(next, mounts)),
    ...execution(mounts === undefined ? next : next + 1 + mounts),
  ];
  return staticProgram(machine, { steps });
}

/** Source: splice(2), which needs no memory that could be written. */
function waiting(): ProgramStep[] {
  const gate = { value: "argument", at: 1 } as const;
  const sink = [AT_FDCWD, text("/dev/null"), O_WRONLY | O_CLOEXEC];
  return [
    { call: "openat", operands: [AT_FDCWD, gate, O_CLOEXEC], essential: true },
    { call: "dup3", operands: [{ value: "result" }, GATE_FD, O_CLOEXEC], essential: true },
    { call: "openat", operands: sink, essential: true },
    {
      call: "splice",
      operands: [GATE_FD, 0, { value: "result" }, 0, 1, 0],
      essential: "some",
    },
  ];
}

function entering(at: number): ProgramStep[] {
  const file = { value: "argument", at } as const;
  const self = text("0");
  return [
    { call: "openat", operands: [AT_FDCWD, file, O_WRONLY | O_CLOEXEC], essential: true },
    { call: "write", operands: [{ value: "result" }, self, 1], essential: true },
  ];
}

/** The namespace is the argument `at`, what is taken along those behind it. */
function moving(at: number, mounts: number): ProgramStep[] {
  const taken = Array.from({ length: mounts }, (_, index) => {
    return { fd: MOUNTS_FD + index, file: { value: "argument", at: at + 1 + index } as const };
  });
  const namespace = { value: "argument", at } as const;
  const result = { value: "result" } as const;
  const self = text("");
  const step = (call: string, ...operands: ProgramStep["operands"]): ProgramStep => {
    return { call, operands, essential: true };
  };
  return [
    ...taken.flatMap(({ fd, file }) => [
      step("open_tree", AT_FDCWD, file, TAKE_ALL),
      step("dup3", result, fd, O_CLOEXEC),
    ]),
    step("openat", AT_FDCWD, namespace, O_CLOEXEC),
    step("setns", result, CLONE_NEWNS),
    step("unshare", CLONE_NEWNS),
    ...taken.map(({ fd, file }) =>
      step("move_mount", fd, self, AT_FDCWD, file, MOVE_MOUNT_F_EMPTY_PATH),
    ),
  ];
}
