import type { Clock, Timer } from "../lib/clock.ts";
import { libc } from "./libc.ts";
import { releaseProgram, releaseSharedFiles, residentFileBytes } from "./mapped-files.ts";

// JUSTIFICATION: glibc keeps what is freed in the middle of its heap for later; after a load that is
// a third of all memory, and nothing but this call gives it back.
// SAFETY: takes an integer; only pages that hold nothing but freed memory are given up.
const mallocTrim = libc.func("malloc_trim", "int", ["size_t"]);

const CHECK_EVERY_MS = 500;
const FREED_MIN_BYTES = 8 << 20;
const TRIM_EVERY_MS = 2_000;
const MAPPED_MIN_BYTES = 8 << 20;
/** So many writes map about half of that. */
const CHECK_EVERY_WRITES = 256;
/** By then what starts has started, and what is tried first has been tried. */
const STARTED_MS = 6_000;

/** The memory of this process outside of V8's heap; a test brings its own. */
export interface OuterMemory {
  /** Bytes that values of JavaScript hold there, those that wait for the collector included. */
  heldBytes(): number;
  /** Gives the system what was freed; blocks for some milliseconds. */
  trim(): void;
  /** Resident bytes of mapped files. */
  mappedBytes(): number;
  /** Lets go of the pages of files that are mapped shared; blocks for less than a millisecond. */
  releaseFiles(): void;
  /** Lets go of the pages of the program; blocks for some milliseconds. */
  releaseProgram(): void;
}

/** Of this process. */
export const OUTER_MEMORY: OuterMemory = {
  heldBytes: () => process.memoryUsage().external,
  trim: () => void mallocTrim(0),
  mappedBytes: residentFileBytes,
  releaseFiles: releaseSharedFiles,
  releaseProgram,
};

/** Gives memory back until it is disposed. */
export interface MemoryRelief extends Disposable {
  /** Tells of so many writes to a mapped database: many of them do not wait for a timer. */
  wrote(count: number): void;
}

/**
 * Gives memory back to the system. What was freed: after the collector let go of 8 MiB of buffers,
 * at most every two seconds, so during a load what it left since, and all of it when the load is
 * over. Mapped files: whenever 8 MiB more of them are resident than right after the last time. The
 * pages of the program that only its start needed: once.
 */
export function startMemoryRelief(clock: Clock, memory: OuterMemory): MemoryRelief {
  const heap = heapRelief(clock, memory);
  const files = fileRelief(memory);
  const program = startProgramRelief(clock, {
    releaseProgram: () => {
      memory.releaseProgram();
      files.begin();
    },
  });
  let writes = 0;
  let timer: Timer;
  const check = (): void => {
    timer = clock.setTimer(CHECK_EVERY_MS, check);
    heap();
    files.check();
  };
  timer = clock.setTimer(CHECK_EVERY_MS, check);
  return {
    wrote: (count) => {
      writes += count;
      if (writes < CHECK_EVERY_WRITES) return;
      writes = 0;
      files.check();
    },
    [Symbol.dispose]: () => {
      timer.cancel();
      program[Symbol.dispose]();
    },
  };
}

/** Lets go of the pages of the program that only its start needed, once it has started. */
export function startProgramRelief(
  clock: Clock,
  { releaseProgram }: Pick<OuterMemory, "releaseProgram">,
): Disposable {
  const timer = clock.setTimer(STARTED_MS, releaseProgram);
  return { [Symbol.dispose]: () => timer.cancel() };
}

function heapRelief(clock: Clock, memory: OuterMemory): () => void {
  let heldBytes = memory.heldBytes();
  let freedBytes = 0;
  let trimmedMs = clock.monotonicMs();
  return () => {
    const nowBytes = memory.heldBytes();
    freedBytes += Math.max(0, heldBytes - nowBytes);
    heldBytes = nowBytes;
    const nowMs = clock.monotonicMs();
    if (freedBytes < FREED_MIN_BYTES || nowMs - trimmedMs < TRIM_EVERY_MS) return;
    memory.trim();
    freedBytes = 0;
    trimmedMs = nowMs;
  };
}

function fileRelief(memory: OuterMemory): { begin(): void; check(): void } {
  let keptBytes = memory.mappedBytes();
  return {
    begin: () => {
      keptBytes = memory.mappedBytes();
    },
    check: () => {
      if (memory.mappedBytes() - keptBytes < MAPPED_MIN_BYTES) return;
      memory.releaseFiles();
      keptBytes = memory.mappedBytes();
    },
  };
}
