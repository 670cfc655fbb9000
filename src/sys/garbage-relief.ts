import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import type { Clock } from "../lib/clock.ts";

const GROWN_MIN_BYTES = 4 << 20;
const COLLECT_EVERY_MS = 1_000;
/** What died while the first one marked is left for the next. */
const COLLECTIONS = 2;
/** V8 lets buffers grow by 64 MiB from one collection to the next. */
const PRESSURE_BYTES = 80 << 20;

/** What the collector of JavaScript looks after; a test brings its own. */
export interface CollectedMemory {
  /** Bytes of old objects, and of buffers outside of the heap; those that nobody needs included. */
  usedBytes(): number;
  /** Begins a collection of all, which for the most part runs beside the program. */
  collect(): void;
}

/** Of this thread. */
export const V8_HEAP: CollectedMemory = { usedBytes, collect };

/**
 * Begins collections sooner than V8 does, which waits until old objects are 40 % more or buffers 64
 * MiB: two when 4 MiB more are used than at least since the one before, once a second at most.
 * The result is to be called now and then: twice a second or more often.
 */
export function garbageRelief(clock: Clock, memory: CollectedMemory): () => void {
  let leastBytes = memory.usedBytes();
  /** At least in this second: passing buffers come and go. */
  let secondBytes = leastBytes;
  let secondMs = clock.monotonicMs();
  let collections = 0;
  return () => {
    const usedBytes = memory.usedBytes();
    leastBytes = Math.min(leastBytes, usedBytes);
    secondBytes = Math.min(secondBytes, usedBytes);
    const nowMs = clock.monotonicMs();
    if (nowMs - secondMs < COLLECT_EVERY_MS) return;
    if (secondBytes - leastBytes >= GROWN_MIN_BYTES) collections = COLLECTIONS;
    secondMs = nowMs;
    secondBytes = usedBytes;
    if (collections === 0) return;
    collections--;
    leastBytes = usedBytes;
    memory.collect();
  };
}

/** Young objects do not count: they come and go by megabytes while little happens. */
function usedBytes(): number {
  let bytes = getHeapStatistics().external_memory;
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (!space_name.startsWith("new_")) bytes += space_used_size;
  }
  return bytes;
}

/**
 * A buffer that nobody touches has no memory, but V8 counts its size and begins a collection. Where
 * buffers cannot be given away at once, before Node.js 22, V8 decides alone.
 */
function collect(): void {
  if ("transfer" in ArrayBuffer.prototype) new ArrayBuffer(PRESSURE_BYTES).transfer(0);
}
