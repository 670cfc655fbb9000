import { readFileSync } from "node:fs";
import { withoutFaultAround } from "./fault-around.ts";
import { libc } from "./libc.ts";

// JUSTIFICATION: Node.js has no call for it, and the pages of a mapped file stay resident until the
// kernel runs short, whoever reads them still.
// SAFETY: addresses are integers of mappings that /proc names in the same turn; nothing unmaps them
// meanwhile. Their pages are read from the file again when they are touched, as long as none of them
// was written privately: such mappings are never named here.
const madviseCall = libc.func("madvise", "int", ["uintptr_t", "size_t", "int"]);

const MADV_DONTNEED = 4;
const PAGE_BYTES = 4096;
const HEAD = /^([\da-f]+)-([\da-f]+) .(.).(.) [\da-f]+ \S+ \d+ *(.?).*$/gm;
const ANONYMOUS = /^Anonymous: +(\d+) kB$/m;

/** Part of the address space that shows a file. */
export interface MappedFile {
  start: bigint;
  sizeBytes: bigint;
  isShared: boolean;
  isWritable: boolean;
  /** Pages that were written privately; 0 where the text does not tell, as in proc_pid_maps(5). */
  anonymousBytes: number;
}

/** Mappings of files that proc_pid_smaps(5) or proc_pid_maps(5) tells of. */
export function parseMappedFiles(text: string): MappedFile[] {
  const heads = [...text.matchAll(HEAD)];
  return heads.flatMap(([, from, to, write, sharing, firstOfPath], at) => {
    if (firstOfPath !== "/") return [];
    const start = BigInt(`0x${from}`);
    const fields = text.slice(heads[at]?.index, heads[at + 1]?.index);
    return {
      start,
      sizeBytes: BigInt(`0x${to}`) - start,
      isShared: sharing === "s",
      isWritable: write === "w",
      anonymousBytes: Number(ANONYMOUS.exec(fields)?.[1] ?? 0) * 1024,
    };
  });
}

/** What of a process is in memory. */
export interface ResidentBytes {
  /** Of files that it maps, its program and libraries included. */
  fileBytes: number;
  /** All else. */
  anonymousBytes: number;
}

/** Of this process, from proc_pid_statm(5). */
export function residentBytes(): ResidentBytes {
  const [, all, files] = readFileSync("/proc/self/statm", "latin1").split(" ").map(Number);
  const fileBytes = (files ?? 0) * PAGE_BYTES;
  return { fileBytes, anonymousBytes: (all ?? 0) * PAGE_BYTES - fileBytes };
}

/**
 * Unmaps the pages of files that are mapped shared, such as a database: the kernel keeps them for
 * as long as it has room, and whoever touches one again gets it back.
 */
export function releaseSharedFiles(): void {
  const mapped = parseMappedFiles(readFileSync("/proc/self/maps", "latin1"));
  for (const file of mapped) if (file.isShared) release(file);
}

/** Of the program of this process and its libraries. */
export interface ProgramPages extends Disposable {
  /** Lets go of what came back meanwhile; takes about a millisecond. */
  release(): void;
}

/**
 * Does the same with the program of this process and its libraries: most of what starting touched
 * is never needed again. Until the result is disposed only pages that are touched come back, not
 * those around them; so do those of shared files. Takes some milliseconds.
 */
export function releaseProgram(): ProgramPages {
  const mapped = parseMappedFiles(readFileSync("/proc/self/smaps", "latin1"));
  const program = mapped.filter(
    ({ isShared, isWritable, anonymousBytes }) => !isShared && !isWritable && anonymousBytes === 0,
  );
  const sparse = withoutFaultAround([...program, ...mapped.filter(({ isShared }) => isShared)]);
  for (const file of program) release(file);
  const sizes = new Map(program.map(({ start, sizeBytes }) => [start, sizeBytes]));
  return {
    release: () => {
      // A library may have gone, and its place have been taken by what must not be lost.
      for (const file of parseMappedFiles(readFileSync("/proc/self/maps", "latin1"))) {
        const isKnown = !file.isShared && !file.isWritable;
        if (isKnown && sizes.get(file.start) === file.sizeBytes) release(file);
      }
    },
    [Symbol.dispose]: () => sparse?.[Symbol.dispose](),
  };
}

/** What cannot be let go of, as it is locked in memory, stays. */
function release({ start, sizeBytes }: MappedFile): void {
  madviseCall(start, sizeBytes, MADV_DONTNEED);
}
