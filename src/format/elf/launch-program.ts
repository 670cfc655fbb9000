import { type BpfInstruction, encodeBpf } from "../seccomp/compile.ts";
import type { SyscallArchitecture } from "../seccomp/syscall-numbers.ts";
import { confineSteps } from "./confine-steps.ts";
import { type Bytes, type ProgramStep, staticProgram, text } from "./static-program.ts";

const AT_FDCWD = -100;
const O_CLOEXEC = 0x80000;
const CLONE_NEWNS = 0x20000;
/** CLONE_NEWUTS, NEWIPC, NEWPID and NEWNET. */
const CLONE_REST = 0x400_0000 | 0x800_0000 | 0x2000_0000 | 0x4000_0000;
const MS_BIND = 0x1000;
const MS_REC_PRIVATE = 0x4000 | 0x40000;
const SECCOMP_SET_MODE_FILTER = 1;
const NOT_FOUND_EXIT_CODE = 127;

/** How a program is to be run. */
export interface Launch {
  /** Seccomp filter that all its descendants keep, if this process may set one. */
  filter: readonly BpfInstruction[];
  /** Number of a descriptor of /dev/null that all its descendants inherit. */
  nullDescriptor: number;
  /** Directory that lies over another one in a mount namespace of its own. */
  cover?: { directory: string; target: string };
  /** In a session and in namespaces of its own, the first process that it starts in one too. */
  isolated?: boolean;
}

/**
 * A static executable that runs the program which its arguments name, by path. It ends with code
 * 127 when there is none. Source: seccomp(2), unshare(2), mount(2), execve(2).
 */
export function launchProgram(machine: SyscallArchitecture, launch: Launch): Uint8Array {
  const { cover, isolated } = launch;
  return staticProgram(machine, {
    steps: [
      ...(cover ? covering(cover) : []),
      ...(isolated ? isolation() : []),
      ...filterSteps(launch),
      ...execution(),
    ],
  });
}

/** Sets the filter and opens the descriptor that all descendants keep. */
export function filterSteps({ filter, nullDescriptor }: Launch): ProgramStep[] {
  return [
    { call: "openat", operands: [AT_FDCWD, text("/dev/null"), O_CLOEXEC] },
    { call: "dup3", operands: [{ value: "result" }, nullDescriptor, 0] },
    { call: "seccomp", operands: [SECCOMP_SET_MODE_FILTER, 0, filterProgram(filter)] },
  ];
}

/** Runs the program that an argument names, with those from there on. */
export function execution(at = 1): ProgramStep[] {
  const operands = [
    { value: "argument", at },
    { value: "arguments", at },
    { value: "environment" },
  ] as const;
  return [
    { call: "execve", operands },
    { call: "exit_group", operands: [NOT_FOUND_EXIT_CODE] },
  ];
}

/**
 * The same for a program that writes no files, as far as the kernel can hold it to that; see
 * `confineSteps`.
 */
export function confiningProgram(machine: SyscallArchitecture, version: number): Uint8Array {
  return staticProgram(machine, { steps: [...confineSteps(version), ...execution()] });
}

function covering({ directory, target }: { directory: string; target: string }): ProgramStep[] {
  const call = "mount";
  const root = text("/");
  const [source, place] = [text(directory), text(target)];
  return [
    { call: "unshare", operands: [CLONE_NEWNS], essential: true },
    { call, operands: [0, root, 0, MS_REC_PRIVATE, 0], essential: true },
    { call, operands: [source, place, 0, MS_BIND, 0], essential: true },
  ];
}

function isolation(): ProgramStep[] {
  return [
    { call: "setsid", operands: [] },
    { call: "unshare", operands: [CLONE_NEWNS | CLONE_REST], essential: true },
  ];
}

const SOCK_FPROG_BYTES = 16;

/** A `struct sock_fprog` and right behind it the instructions that it points to. */
function filterProgram(filter: readonly BpfInstruction[]): Bytes {
  const instructions = encodeBpf(filter);
  return {
    bytes(address) {
      const bytes = new Uint8Array(SOCK_FPROG_BYTES + instructions.length);
      const view = new DataView(bytes.buffer);
      view.setUint16(0, filter.length, true);
      view.setBigUint64(8, BigInt(address + SOCK_FPROG_BYTES), true);
      bytes.set(instructions, SOCK_FPROG_BYTES);
      return bytes;
    },
  };
}
