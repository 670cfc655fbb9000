import path from "node:path";
import { kernelProgram } from "../../format/elf/kernel-program.ts";
import { launchProgram } from "../../format/elf/launch-program.ts";
import { skippedCall } from "../../format/seccomp/skipped-call.ts";
import { programMachine, writeProgram } from "./own-program.ts";

/** MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED. Source: linux/membarrier.h. */
const REGISTER_PRIVATE_EXPEDITED = 16;

/**
 * gVisor moves its streams to the descriptors from 256 on. Where the table of descriptors has to
 * grow for that, it waits as below; one that it inherits makes the table large from the start.
 */
const NULL_DESCRIPTOR = 319;

/** What a kernel has as descriptors from 4 on, which its monitor passes. */
export const BOOT_DESCRIPTORS = {
  files: 4,
  mounts: 5,
  controller: 6,
  spec: 7,
  streams: [8, 9, 10],
  networkNamespace: 11,
  procRead: 12,
  procWrite: 13,
  program: 14,
  log: 15,
  started: 16,
} as const;

/** Paths of programs that run what their arguments name. */
export interface GvisorLaunchers {
  plain: string;
  kernel: string;
  /** In the namespaces that gVisor gives those who serve files to a kernel. */
  gofer: string;
  /** Only gVisor, as the kernel of a pod, with its arguments from its name on. */
  boot: string;
}

/**
 * Writes the programs that run gVisor's, and returns their paths. Each process of gVisor begins
 * with a registration for memory barriers, for which it waits until all processors have passed a
 * quiescent state, 5 to 20 ms; a pod's start has nine such processes. Only the KVM platform makes
 * use of it, which is not the one that runs here: the programs say that it was done. The one that
 * starts a kernel also lays `settings` over /proc/sys.
 */
export function prepareLaunchers(
  directory: string,
  { settings }: { settings: string },
): GvisorLaunchers {
  const machine = programMachine();
  const firstArgument = REGISTER_PRIVATE_EXPEDITED;
  const filter = skippedCall(machine, { name: "membarrier", firstArgument });
  const launch = { filter, nullDescriptor: NULL_DESCRIPTOR };
  const cover = { directory: settings, target: "/proc/sys" };
  return {
    plain: writeProgram(path.join(directory, "launch"), launchProgram(machine, launch)),
    kernel: writeProgram(
      path.join(directory, "launch-kernel"),
      launchProgram(machine, { ...launch, cover }),
    ),
    gofer: writeProgram(
      path.join(directory, "launch-gofer"),
      launchProgram(machine, { ...launch, isolated: true }),
    ),
    boot: writeProgram(
      path.join(directory, "launch-boot"),
      kernelProgram(machine, { launch, descriptors: BOOT_DESCRIPTORS }),
    ),
  };
}
