import type { SyscallArchitecture } from "../seccomp/syscall-numbers.ts";
import { staticProgram } from "./static-program.ts";

const SIGCHLD = 17;
const SIGNAL_SET_BYTES = 8;
const SIGACTION_BYTES = 32;
const SIG_IGN = 1;

/**
 * The first process of namespaces that a pod's containers share: it holds them alive. As it ignores
 * SIGCHLD, the kernel itself reaps the orphans that it inherits (sigaction(2), "NOTES"). As the
 * first process of its namespace it feels no signal from within.
 */
export function initProgram(machine: SyscallArchitecture): Uint8Array {
  // Its handler, no flags, no mask.
  const action = new Uint8Array(SIGACTION_BYTES);
  action[0] = SIG_IGN;
  return staticProgram(machine, {
    steps: [
      { call: "rt_sigaction", operands: [SIGCHLD, { bytes: () => action }, 0, SIGNAL_SET_BYTES] },
      { call: "ppoll", operands: [0, 0, 0, 0] },
    ],
  });
}
