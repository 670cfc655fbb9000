import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { importsFrom, isLinkedAtStart } from "../../format/elf/library-imports.ts";
import { standInLibrary } from "../../format/elf/stand-in-library.ts";
import type { Logger } from "../../lib/logger.ts";
import { reap, spawnProgram } from "../../sys/posix-spawn.ts";
import { programMachine, writeProgram } from "./own-program.ts";

/**
 * conmon and crun call it for logs in the journal and for groups of systemd's, neither of which we
 * ask for, and it brings five libraries along. To link with all that takes longer than their work.
 */
const UNUSED_LIBRARY = "libsystemd.so.0";
const HEAD_BYTES = 4096;

/** Spares the programs that start containers libraries of which they call nothing. */
export interface StandIns {
  /** Looks at the programs, and tries what it made for them. Never throws. */
  prepare(runtimes: readonly string[]): Promise<void>;
  /** What a monitor with this runtime gets for an environment; empty where it was not tried. */
  environment(runtime: string): Readonly<Record<string, string>>;
}

/** For the monitor `conmon`; what is made lies in `directory`. */
export function createStandIns(
  conmon: string,
  { directory, logger }: { directory: string; logger: Logger },
): StandIns {
  const tried = new Set<string>();
  let monitor = "";
  const environment = { LD_LIBRARY_PATH: directory };
  return {
    async prepare(runtimes) {
      tried.clear();
      try {
        const linked = [conmon, ...runtimes].filter(isLinked);
        const before = versionOf(conmon);
        writeLibrary(directory, linked);
        const codes = await Promise.all(linked.map((file) => tryOut(file, environment)));
        if (codes.some((code) => code !== 0)) throw new Error(`Programs end with ${codes.join()}`);
        monitor = before;
        for (const runtime of runtimes) tried.add(runtime);
      } catch (error) {
        logger.debug("programs link with all their libraries", { error });
      }
    },
    // Another version may call what this one does not.
    environment: (runtime) =>
      tried.has(runtime) && versionOf(conmon) === monitor ? environment : {},
  };
}

function writeLibrary(directory: string, programs: readonly string[]): void {
  const imports = programs.flatMap((file) => importsFrom(readFileSync(file), UNUSED_LIBRARY));
  const functions = new Map(imports.map((one) => [`${one.name}@${one.version}`, one]));
  if (functions.size === 0) throw new Error(`No program links with ${UNUSED_LIBRARY}`);
  const library = { soname: UNUSED_LIBRARY, functions: [...functions.values()] };
  writeProgram(path.join(directory, UNUSED_LIBRARY), standInLibrary(programMachine(), library));
}

/** Others, of tens of megabytes, are not read. */
function isLinked(file: string): boolean {
  const fd = openSync(file, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return isLinkedAtStart(head.subarray(0, readSync(fd, head)));
  } finally {
    closeSync(fd);
  }
}

async function tryOut(file: string, env: Readonly<Record<string, string>>): Promise<number> {
  const descriptors = ["ignore", "ignore", "ignore"] as const;
  return await reap(spawnProgram({ file, args: ["--version"], directory: "/", env, descriptors }));
}

function versionOf(file: string): string {
  const { ino, size, mtimeMs } = statSync(file);
  return `${ino} ${size} ${mtimeMs}`;
}
