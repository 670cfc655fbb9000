import type { SyscallArchitecture } from "../seccomp/syscall-numbers.ts";
import { execution } from "./launch-program.ts";
import { type ProgramStep, staticProgram, text } from "./static-program.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const O_CLOEXEC = 0x80000;
/** Where the gate is put, which is needed when another call has come between. */
const GATE_FD = 400;

/** What stands between a monitor and the OCI runtime. */
export interface Placement {
  /** How many control groups there are to enter. */
  groups: number;
  /** It first waits for a byte out of a FIFO. */
  gated: boolean;
}

/**
 * A static executable that enters control groups and then is another program. Its arguments: the
 * FIFO if there is one, the files of the groups to which it writes "0", the program and what that
 * one is given. It ends with code 126 when there is no such group, or the FIFO ends without a byte.
 * A shell would do the same for a millisecond of processor time.
 */
export function placeProgram(
  machine: SyscallArchitecture,
  { groups, gated }: Placement,
): Uint8Array {
  const first = gated ? 2 : 1;
  const files = Array.from({ length: groups }, (_, at) => first + at);
  const steps = [...(gated ? waiting() : []), ...files.flatMap(entering)];
  return staticProgram(machine, { steps: [...steps, ...execution(first + groups)] });
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
