import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { arch } from "node:os";
import path from "node:path";
import { launchProgram } from "../../format/elf/launch-program.ts";
import { skippedCall } from "../../format/seccomp/skipped-call.ts";
import { RuntimeError } from "./contract.ts";

/** MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED. Source: linux/membarrier.h. */
const REGISTER_PRIVATE_EXPEDITED = 16;

/**
 * Writes a program that runs gVisor's, and returns its path. Each process of gVisor begins with a
 * registration for memory barriers, for which it waits until all processors have passed a quiescent
 * state, 10 to 20 ms; a pod's start has nine such processes. Only the KVM platform makes use of it,
 * which is not the one that runs here: the program says that it was done.
 */
export function prepareLauncher(directory: string): string {
  const file = path.join(directory, "launch");
  const machine = arch();
  if (machine !== "x64" && machine !== "arm64") {
    throw new RuntimeError("runtime-failed", `No launcher for the architecture ${machine}`);
  }
  const firstArgument = REGISTER_PRIVATE_EXPEDITED;
  const filter = skippedCall(machine, { name: "membarrier", firstArgument });
  const program = launchProgram(machine, filter);
  if (existsSync(file) && readFileSync(file).equals(program)) return file;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Whole or not at all, whenever this process ends.
  writeFileSync(`${file}.new`, program, { mode: 0o700 });
  renameSync(`${file}.new`, file);
  return file;
}
