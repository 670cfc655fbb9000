import type { Clock, Timer } from "../lib/clock.ts";
import { libc } from "./libc.ts";

// JUSTIFICATION: glibc keeps what is freed in the middle of its heap for later; after a load that is
// a third of all memory, and nothing but this call gives it back.
// SAFETY: takes an integer; only pages that hold nothing but freed memory are given up.
const mallocTrim = libc.func("malloc_trim", "int", ["size_t"]);

const CHECK_EVERY_MS = 500;
const FREED_MIN_BYTES = 8 << 20;
const TRIM_EVERY_MS = 2_000;

/** The memory of this process outside of V8's heap; a test brings its own. */
export interface OuterMemory {
  /** Bytes that values of JavaScript hold there, those that wait for the collector included. */
  heldBytes(): number;
  /** Gives the system what was freed; blocks for some milliseconds. */
  trim(): void;
}

/** Of this process. */
export const OUTER_MEMORY: OuterMemory = {
  heldBytes: () => process.memoryUsage().external,
  trim: () => void mallocTrim(0),
};

/**
 * Gives memory back to the system after the collector let go of 8 MiB of buffers, at most every two
 * seconds: during a load what it left since, and all of it when the load is over.
 */
export function startMemoryRelief(clock: Clock, memory: OuterMemory): Disposable {
  let heldBytes = memory.heldBytes();
  let freedBytes = 0;
  let trimmedMs = clock.monotonicMs();
  let timer: Timer;
  const check = (): void => {
    timer = clock.setTimer(CHECK_EVERY_MS, check);
    const nowBytes = memory.heldBytes();
    freedBytes += Math.max(0, heldBytes - nowBytes);
    heldBytes = nowBytes;
    const nowMs = clock.monotonicMs();
    if (freedBytes < FREED_MIN_BYTES || nowMs - trimmedMs < TRIM_EVERY_MS) return;
    memory.trim();
    freedBytes = 0;
    trimmedMs = nowMs;
  };
  timer = clock.setTimer(CHECK_EVERY_MS, check);
  return { [Symbol.dispose]: () => timer.cancel() };
}
