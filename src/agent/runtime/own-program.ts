import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { arch } from "node:os";
import path from "node:path";
import type { SyscallArchitecture } from "../../format/seccomp/syscall-numbers.ts";
import { RuntimeError } from "./contract.ts";

/** Writes an executable of ours, unless it is there already, and returns its path. */
export function writeProgram(file: string, program: Uint8Array): string {
  if (existsSync(file) && readFileSync(file).equals(program)) return file;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // Whole or not at all, whenever this process ends.
  writeFileSync(`${file}.new`, program, { mode: 0o700 });
  renameSync(`${file}.new`, file);
  return file;
}

/** The machine that programs are written for. @throws RuntimeError for one that none are for */
export function programMachine(): SyscallArchitecture {
  const machine = arch();
  if (machine === "x64" || machine === "arm64") return machine;
  throw new RuntimeError("runtime-failed", `No programs for the architecture ${machine}`);
}
