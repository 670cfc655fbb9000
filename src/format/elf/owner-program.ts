import type { SyscallArchitecture } from "../seccomp/syscall-numbers.ts";
import { staticProgram } from "./static-program.ts";

const CLONE_NEWUSER = 0x1000_0000;
const CLONE_NEWNET = 0x4000_0000;
const CLONE_NEWIPC = 0x0800_0000;
const STDOUT = 1;

/**
 * Enters a user namespace of its own, with a network and an IPC namespace that belong to it, writes
 * one byte, and waits for its end. Source: unshare(2).
 */
export function ownerProgram(machine: SyscallArchitecture): Uint8Array {
  const namespaces = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC;
  const byte = { bytes: () => Uint8Array.of(0) };
  return staticProgram(machine, {
    steps: [
      { call: "unshare", operands: [namespaces], essential: true },
      { call: "write", operands: [STDOUT, byte, 1] },
      { call: "ppoll", operands: [0, 0, 0, 0] },
    ],
  });
}
