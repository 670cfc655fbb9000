import { getHeapStatistics } from "node:v8";
import type { Clock, Timer } from "../lib/clock.ts";
import { type CollectedMemory, garbageRelief } from "./garbage-relief.ts";
import { libc } from "./libc.ts";
import {
  type ProgramPages,
  type ResidentBytes,
  releaseProgram,
  releaseSharedFiles,
  residentBytes,
} from "./mapped-files.ts";

// JUSTIFICATION: glibc keeps what is freed in the middle of its heap for later; after a load that is
// a third of all memory, and nothing but this call gives it back.
// SAFETY: takes an integer; only pages that hold nothing but freed memory are given up.
const mallocTrim = libc.func("malloc_trim", "int", ["size_t"]);

/** While memory comes and goes; the other while it does not. */
const CHECK_SOON_MS = 25;
const CHECK_EVERY_MS = 500;
const MOVING_MIN_BYTES = 1 << 20;
const HEAP_MIN_BYTES = 4 << 20;
const TRIM_EVERY_MS = 100;
const MAPPED_MIN_BYTES = 4 << 20;
/** By then what is tried first has been tried. */
const STARTED_MS = 6_000;
/** What is needed again and again comes back within a second, in 2 ms together. */
const PROGRAM_EVERY_MS = 5_000;

/** The memory of this process outside of V8's heap; a test brings its own. */
export interface OuterMemory {
  /** Bytes that values of JavaScript hold there, those that wait for the collector included. */
  heldBytes(): number;
  resident(): ResidentBytes;
  /** Gives the system what was freed; blocks for some milliseconds. */
  trim(): void;
  /** Lets go of the pages of files that are mapped shared; blocks for less than a millisecond. */
  releaseFiles(): void;
  /**
   * Lets go of the pages of the program, and keeps those around what is touched from coming back
   * until the result is disposed; blocks for some milliseconds.
   */
  releaseProgram(): ProgramPages;
}

/** Of this process. */
export const OUTER_MEMORY: OuterMemory = {
  heldBytes: () => getHeapStatistics().external_memory,
  resident: residentBytes,
  trim: () => void mallocTrim(0),
  releaseFiles: releaseSharedFiles,
  releaseProgram,
};

/** Lets go of pages of the program until it is disposed. */
export interface ProgramRelief extends Disposable {
  /** Told when the process has started: most of what that touched is not needed any more. */
  started(): void;
}

/** Gives memory back until it is disposed. */
export interface MemoryRelief extends ProgramRelief {
  /** Looks at once, and soon again: who wrote much does not wait for a timer. */
  check(): void;
}

/**
 * Has garbage collected, and gives memory back to the system. What was freed: after the collector
 * let go of 4 MiB of buffers, or when 4 MiB more are resident than right after the last time, ten
 * times a second at most. Mapped files: whenever 4 MiB more of them are resident than right after
 * the last time. Of these, the pages of the program: when it has started, once more later, and
 * every five seconds at most.
 */
export function startMemoryRelief(
  clock: Clock,
  memory: OuterMemory,
  collected: CollectedMemory,
): MemoryRelief {
  const garbage = garbageRelief(clock, collected);
  const heap = heapRelief(clock, memory);
  const files = fileRelief(clock, memory);
  const program = startProgramRelief(clock, {
    releaseProgram: () => {
      const program = memory.releaseProgram();
      files.begin(program);
      return program;
    },
  });
  let timer: Timer | undefined;
  let seenBytes = 0;
  const look = (): boolean => {
    const resident = memory.resident();
    garbage();
    const isWaiting = heap(resident);
    files.check(resident);
    const bytes = resident.anonymousBytes + resident.fileBytes + memory.heldBytes();
    const isMoving = Math.abs(bytes - seenBytes) > MOVING_MIN_BYTES;
    seenBytes = bytes;
    return isMoving || isWaiting;
  };
  const again = (): void => {
    timer = clock.setTimer(look() ? CHECK_SOON_MS : CHECK_EVERY_MS, again);
  };
  again();
  return {
    started: program.started,
    check: () => {
      look();
      // The collector may come only now.
      timer?.cancel();
      timer = clock.setTimer(CHECK_SOON_MS, again);
    },
    [Symbol.dispose]: () => {
      timer?.cancel();
      program[Symbol.dispose]();
    },
  };
}

/** Lets go of the pages of the program that only its start needed, or what was tried first. */
export function startProgramRelief(
  clock: Clock,
  { releaseProgram }: { releaseProgram: () => Disposable },
): ProgramRelief {
  const sparse: Disposable[] = [];
  const release = () => void sparse.push(releaseProgram());
  const timer = clock.setTimer(STARTED_MS, release);
  return {
    started: release,
    [Symbol.dispose]: () => {
      timer.cancel();
      for (const one of sparse) one[Symbol.dispose]();
    },
  };
}

/** Tells whether something may be given back, but not yet. */
function heapRelief(clock: Clock, memory: OuterMemory): (resident: ResidentBytes) => boolean {
  let heldBytes = memory.heldBytes();
  let freedBytes = 0;
  let leastBytes = memory.resident().anonymousBytes;
  let trimmedMs = clock.monotonicMs();
  return ({ anonymousBytes }) => {
    const nowBytes = memory.heldBytes();
    freedBytes += Math.max(0, heldBytes - nowBytes);
    heldBytes = nowBytes;
    leastBytes = Math.min(leastBytes, anonymousBytes);
    const mayBeFreeBytes = Math.max(freedBytes, anonymousBytes - leastBytes);
    const nowMs = clock.monotonicMs();
    if (mayBeFreeBytes < HEAP_MIN_BYTES) return false;
    if (nowMs - trimmedMs < TRIM_EVERY_MS) return true;
    memory.trim();
    freedBytes = 0;
    leastBytes = memory.resident().anonymousBytes;
    trimmedMs = nowMs;
    return false;
  };
}

function fileRelief(
  clock: Clock,
  memory: OuterMemory,
): {
  /** The program has been let go of, and may be again. */
  begin(program: ProgramPages): void;
  check(resident: ResidentBytes): void;
} {
  let keptBytes = memory.resident().fileBytes;
  let program: ProgramPages | undefined;
  let programMs = 0;
  return {
    begin: (released) => {
      program = released;
      programMs = clock.monotonicMs();
      keptBytes = memory.resident().fileBytes;
    },
    check: ({ fileBytes }) => {
      if (fileBytes - keptBytes < MAPPED_MIN_BYTES) return;
      memory.releaseFiles();
      const nowMs = clock.monotonicMs();
      if (program && nowMs - programMs >= PROGRAM_EVERY_MS) {
        program.release();
        programMs = nowMs;
      }
      keptBytes = memory.resident().fileBytes;
    },
  };
}
