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
  const state = { objects: 16 * MIB, buffers: 0, garbage: 0, collections: [] as string[] };
  const check = garbageRelief(clock, {
    usedBytes: () => ({ objects: state.objects, buffers: state.buffers + state.garbage }),
    collect: (kind) => {
      state.collections.push(kind);
      state.garbage = 0;
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

test("4 MiB more are collected, thoroughly, and then nothing", async () => {
  const { state, pass } = startRelief();
  await pass(10_000);
  state.garbage = 3 * MIB;
  await pass(10_000);
  assert.deepEqual(state.collections, []);
  state.garbage = 4 * MIB;
  await pass(2_000);
  assert.deepEqual(state.collections, ["thorough"]);
  assert.equal(state.garbage, 0);
  await pass(10_000);
  assert.deepEqual(state.collections, ["thorough"]);
});

test("what is needed is looked through once", async () => {
  const { state, pass } = startRelief();
  state.buffers += 30 * MIB;
  await pass(60_000);
  assert.equal(state.collections.length, 1);
  state.buffers -= 20 * MIB;
  await pass(10_000);
  assert.equal(state.collections.length, 1);
  // From the least on, whatever was used before.
  state.buffers += 4 * MIB;
  await pass(10_000);
  assert.equal(state.collections.length, 2);
});

test("of much that is used, an eighth more is collected", async () => {
  const { state, pass } = startRelief();
  state.buffers = 24 * MIB;
  await pass(10_000);
  state.collections.length = 0;
  state.garbage = 4 * MIB;
  await pass(10_000);
  assert.deepEqual(state.collections, []);
  state.garbage = 5 * MIB;
  await pass(10_000);
  assert.deepEqual(state.collections, ["thorough"]);
});

test("under load there is one a second at most, and a thorough one only after it", async () => {
  const { state, pass } = startRelief();
  for (let step = 0; step < 100; step++) {
    state.garbage += 6 * MIB;
    await pass(100);
  }
  assert.ok(state.collections.length >= 4 && state.collections.length <= 10);
  assert.deepEqual(new Set(state.collections), new Set(["quick"]));
  await pass(10_000);
  const thorough = state.collections.filter((kind) => kind === "thorough");
  assert.deepEqual([thorough.length, state.collections.at(-1)], [1, "thorough"]);
});

test("what passes within a second is no reason", async () => {
  const { state, pass } = startRelief();
  for (let step = 0; step < 30; step++) {
    state.buffers += 20 * MIB;
    await pass(300);
    state.buffers -= 20 * MIB;
    await pass(300);
  }
  assert.deepEqual(state.collections, []);
});

test("a heap that takes long to look through is left to V8", async () => {
  const { state, pass } = startRelief();
  state.objects = 64 * MIB;
  state.garbage = 30 * MIB;
  await pass(10_000);
  assert.deepEqual(state.collections, []);
  state.objects = 50 * MIB;
  await pass(1_000);
  state.garbage += 20 * MIB;
  await pass(2_000);
  assert.deepEqual(state.collections, ["thorough"]);
});

const lacks = "transfer" in ArrayBuffer.prototype ? false : "this Node.js cannot give buffers away";

for (const kind of ["quick", "thorough"] as const) {
  test(`V8 collects when it is asked to: ${kind}`, { skip: lacks }, async () => {
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
    V8_HEAP.collect(kind);
    for (let turn = 0; turn < 100_000 && asked.length === 0; turn++) await setImmediate();
    observer.disconnect();
    assert.equal(asked.length, 1);
  });
}

const keeps = Number.parseInt(process.versions.v8, 10) < 13 && "this Node.js gives no pages back";

test("a thorough collection gives pages back", { skip: lacks || keeps }, async () => {
  let garbage: object[] | undefined = [];
  for (let i = 0; i < 300_000; i++) {
    garbage.push({ name: i, more: [i, i + 1] });
    if (i % 10_000 === 0) await setImmediate();
  }
  assert.ok(garbage.length > 0);
  const grownBytes = process.memoryUsage.rss();
  garbage = undefined;
  const isGivenBack = () => process.memoryUsage.rss() <= grownBytes - 20 * MIB;
  for (let turn = 0; turn < 100_000 && !isGivenBack(); turn++) {
    // One that V8 has begun by itself takes the garbage for needed, and the next one with it.
    if (turn % 5_000 === 0) V8_HEAP.collect("thorough");
    await setImmediate();
  }
  assert.ok(isGivenBack());
});
