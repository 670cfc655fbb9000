import { arch } from "node:os";
import { confiningProgram } from "../format/elf/launch-program.ts";
import { landlockVersion } from "../sys/landlock.ts";
import { type SealedProgram, sealProgram } from "../sys/sealed-program.ts";

/**
 * What runs a program that reads what strangers send and writes no files: put before its command
 * line, it has the kernel hold it to that. Undefined where the kernel cannot; `doctor` says so.
 */
export function openConfinement(): SealedProgram | undefined {
  const machine = arch();
  const version = landlockVersion();
  if (version === 0 || (machine !== "x64" && machine !== "arm64")) return undefined;
  return sealProgram(confiningProgram(machine, version));
}
