import assert from "node:assert/strict";
import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { garbageRelief, V8_HEAP } from "./garbage-relief.ts";

const MIB = 1 << 20;
type GcEntry = PerformanceEntry & { detail: { kind: number; flags: number } };

function startRelief() {
  const clock = new VirtualClock();
  const state = { usedBytes: 50 * MIB, garbageBytes: 0, collections: 0 };
  const check = garbageRelief(clock, {
    usedBytes: () => state.usedBytes + state.garbageBytes,
    collect: () => {
      state.collections++;
      state.garbageBytes = 0;
    },
  });
  const pass = async (ms: number) => {
    for (let passedMs = 0; passedMs < ms; passedMs += 100) {
      await clock.advance(100);
      check();
    }
  };
  return { state, pass };
}

test("two collections follow when 4 MiB more are used, and none while nothing grows", async () => {
  const { state, pass } = startRelief();
  await pass(10_000);
  assert.equal(state.collections, 0);
  state.garbageBytes = 3 * MIB;
  await pass(10_000);
  assert.equal(state.collections, 0);
  state.garbageBytes = 4 * MIB;
  await pass(2_000);
  assert.equal(state.collections, 1);
  assert.equal(state.garbageBytes, 0);
  await pass(10_000);
  assert.equal(state.collections, 2);
});

test("what is needed is looked through twice, and not again", async () => {
  const { state, pass } = startRelief();
  state.usedBytes += 30 * MIB;
  await pass(60_000);
  assert.equal(state.collections, 2);
  state.usedBytes -= 20 * MIB;
  await pass(10_000);
  assert.equal(state.collections, 2);
  // From the least on, whatever was used before.
  state.usedBytes += 4 * MIB;
  await pass(10_000);
  assert.equal(state.collections, 4);
});

test("under load there is one a second at most", async () => {
  const { state, pass } = startRelief();
  for (let step = 0; step < 100; step++) {
    state.garbageBytes += 6 * MIB;
    await pass(100);
  }
  assert.ok(state.collections >= 5 && state.collections <= 10, `${state.collections}`);
});

test("what passes within a second is no reason", async () => {
  const { state, pass } = startRelief();
  for (let step = 0; step < 30; step++) {
    state.usedBytes += 20 * MIB;
    await pass(300);
    state.usedBytes -= 20 * MIB;
    await pass(300);
  }
  assert.equal(state.collections, 0);
});

const lacks = "transfer" in ArrayBuffer.prototype ? false : "this Node.js cannot give buffers away";

test("V8 collects when it is asked to", { skip: lacks }, async () => {
  const asked: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind, flags } = (entry as GcEntry).detail;
      const isMajor = kind === constants.NODE_PERFORMANCE_GC_MAJOR;
      if (isMajor && flags & constants.NODE_PERFORMANCE_GC_FLAGS_ALL_EXTERNAL_MEMORY) {
        asked.push(flags);
      }
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  V8_HEAP.collect();
  for (let turn = 0; turn < 100_000 && asked.length === 0; turn++) await setImmediate();
  observer.disconnect();
  assert.equal(asked.length, 1);
});
