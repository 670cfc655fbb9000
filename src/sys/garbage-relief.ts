import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from "node:v8";
import type { Clock } from "../lib/clock.ts";

const GROWN_MIN_BYTES = 4 << 20;
/** Of what is used at least. */
const GROWN_MIN_SHARE = 1 / 8;
const COLLECT_EVERY_MS = 1_000;
/** One that is asked for stops the program for about a millisecond for each megabyte of these. */
const OBJECTS_MAX_BYTES = 64 << 20;
/** V8 lets buffers grow by 64 MiB from one collection to the next. */
const PRESSURE_BYTES = 80 << 20;
/** From Node.js 24 on; V8 complains of switches that it does not know. */
const HAS_MEMORY_SAVER = Number.parseInt(process.versions.v8, 10) >= 13;

/** Memory of values of JavaScript, those that nobody needs included. */
export interface UsedBytes {
  /** Old objects: young ones come and go by megabytes while little happens. */
  readonly objects: number;
  /** What buffers have outside of V8's heap. */
  readonly buffers: number;
}

/** What the collector of JavaScript looks after; a test brings its own. */
export interface CollectedMemory {
  usedBytes(): UsedBytes;
  /**
   * Begins a collection of all. A thorough one moves what lives together and gives the pages that
   * it empties to the system, which V8 keeps otherwise; it stops the program two to four times as
   * long.
   */
  collect(kind: "quick" | "thorough"): void;
}

/** Of this thread. */
export const V8_HEAP: CollectedMemory = { usedBytes, collect };

/**
 * Begins collections sooner than V8 does, which waits until old objects are 40 % more or buffers 64
 * MiB: when an eighth, and 4 MiB, more were used for a second than at least since the one before.
 * In a second in which 4 MiB came it is a quick one, and a thorough one waits until the load is
 * over. A heap of 64 MiB is left to V8. The result is to be called now and then: twice a second or
 * more often.
 */
export function garbageRelief(clock: Clock, memory: CollectedMemory): () => void {
  let leastBytes = sum(memory.usedBytes());
  /** At least in this second: passing buffers come and go. */
  let secondBytes = leastBytes;
  let secondMs = clock.monotonicMs();
  let isThoroughDue = false;
  return () => {
    const used = memory.usedBytes();
    const usedBytes = sum(used);
    leastBytes = Math.min(leastBytes, usedBytes);
    secondBytes = Math.min(secondBytes, usedBytes);
    const nowMs = clock.monotonicMs();
    if (nowMs - secondMs < COLLECT_EVERY_MS) return;
    const grownMin = Math.max(GROWN_MIN_BYTES, leastBytes * GROWN_MIN_SHARE);
    const hasGrown = secondBytes - leastBytes >= grownMin;
    const isBusy = usedBytes - secondBytes >= GROWN_MIN_BYTES;
    secondMs = nowMs;
    secondBytes = usedBytes;
    if (!hasGrown && (isBusy || !isThoroughDue)) return;
    leastBytes = usedBytes;
    if (used.objects < OBJECTS_MAX_BYTES) memory.collect(isBusy ? "quick" : "thorough");
    isThoroughDue = isBusy;
  };
}

function sum({ objects, buffers }: UsedBytes): number {
  return objects + buffers;
}

function usedBytes(): UsedBytes {
  let objects = 0;
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (!space_name.startsWith("new_")) objects += space_used_size;
  }
  return { objects, buffers: getHeapStatistics().external_memory };
}

/**
 * A buffer that nobody touches has no memory, but V8 counts its size and begins a collection. How
 * thorough it is, V8 decides as it begins. Where buffers cannot be given away at once, before
 * Node.js 22, V8 decides alone.
 */
function collect(kind: "quick" | "thorough"): void {
  if (!("transfer" in ArrayBuffer.prototype)) return;
  const isThorough = kind === "thorough" && HAS_MEMORY_SAVER;
  if (isThorough) setFlagsFromString("--memory-saver-mode");
  new ArrayBuffer(PRESSURE_BYTES).transfer(0);
  if (isThorough) setFlagsFromString("--no-memory-saver-mode");
}
