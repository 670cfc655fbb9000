import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { startMemoryRelief } from "./memory-relief.ts";

const MIB = 1 << 20;

function startRelief() {
  const clock = new VirtualClock();
  const state = {
    heldBytes: 100 * MIB,
    anonymousBytes: 100 * MIB,
    trims: 0,
    usedBytes: 50 * MIB,
    collections: 0,
    mappedBytes: 40 * MIB,
    fileReleases: 0,
    programReleases: 0,
    isSparse: false,
  };
  const memory = {
    heldBytes: () => state.heldBytes,
    resident: () => ({ fileBytes: state.mappedBytes, anonymousBytes: state.anonymousBytes }),
    trim: () => void state.trims++,
    releaseFiles: () => {
      state.fileReleases++;
      state.mappedBytes = 20 * MIB;
    },
    releaseProgram: () => {
      state.programReleases++;
      state.mappedBytes = 10 * MIB;
      state.isSparse = true;
      return {
        release: () => void state.programReleases++,
        [Symbol.dispose]: () => (state.isSparse = false),
      };
    },
  };
  const collected = {
    usedBytes: () => ({ objects: 0, buffers: state.usedBytes }),
    collect: () => void state.collections++,
  };
  const relief = startMemoryRelief(clock, memory, collected);
  return { clock, state, relief };
}

test("what the collector let go of is given back, little by little or at once", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  await clock.advance(10_000);
  assert.equal(state.trims, 0);
  state.heldBytes -= 3 * MIB;
  await clock.advance(1_000);
  assert.equal(state.trims, 0);
  // Growth does not count against it.
  state.heldBytes += 20 * MIB;
  await clock.advance(1_000);
  state.heldBytes -= 3 * MIB;
  await clock.advance(1_000);
  assert.equal(state.trims, 1);
  await clock.advance(10_000);
  assert.equal(state.trims, 1);
});

test("so is what was freed elsewhere, when more is resident than after the last time", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  state.anonymousBytes += 3 * MIB;
  await clock.advance(1_000);
  assert.equal(state.trims, 0);
  state.anonymousBytes += 2 * MIB;
  await clock.advance(1_000);
  assert.equal(state.trims, 1);
  // What stays counts as needed.
  await clock.advance(10_000);
  assert.equal(state.trims, 1);
  state.anonymousBytes -= 5 * MIB;
  await clock.advance(1_000);
  state.anonymousBytes += 5 * MIB;
  await clock.advance(1_000);
  assert.equal(state.trims, 2);
});

test("it happens ten times a second at most, and what came meanwhile is kept in mind", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  await clock.advance(2_000);
  for (let step = 0; step < 5; step++) {
    state.heldBytes -= 10 * MIB;
    relief.check();
  }
  assert.equal(state.trims, 1);
  await clock.advance(2_000);
  assert.equal(state.trims, 2);
});

test("what the start of the program needed is let go of when it has started, and later", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  await clock.advance(1_000);
  assert.equal(state.programReleases, 0);
  relief.started();
  assert.equal(state.programReleases, 1);
  await clock.advance(60_000);
  assert.equal(state.programReleases, 2);
  assert.equal(state.fileReleases, 0);
  assert.ok(state.isSparse);
  relief[Symbol.dispose]();
  assert.ok(!state.isSparse);
});

test("while it is used, so is what of it came back, every five seconds at most", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  const touch = async () => {
    state.mappedBytes += 5 * MIB;
    await clock.advance(1_000);
  };
  await clock.advance(7_000);
  await touch();
  await touch();
  assert.deepEqual([state.fileReleases, state.programReleases], [2, 1]);
  await clock.advance(60_000);
  assert.equal(state.programReleases, 1);
  await touch();
  await touch();
  assert.equal(state.programReleases, 2);
  await clock.advance(5_000);
  await touch();
  assert.equal(state.programReleases, 3);
});

test("mapped files are let go of when more of them are resident than after the last time", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  await clock.advance(30_000);
  state.mappedBytes = 13 * MIB;
  await clock.advance(1_000);
  assert.equal(state.fileReleases, 0);
  state.mappedBytes = 14 * MIB;
  await clock.advance(1_000);
  assert.equal(state.fileReleases, 1);
  // What stays counts as needed.
  state.mappedBytes = 23 * MIB;
  await clock.advance(1_000);
  assert.equal(state.fileReleases, 1);
});

test("who wrote much does not wait for a timer", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  relief.check();
  assert.equal(state.fileReleases, 0);
  state.mappedBytes = 400 * MIB;
  relief.check();
  assert.equal(state.fileReleases, 1);
  await clock.advance(200);
  state.heldBytes -= 10 * MIB;
  relief.check();
  state.heldBytes -= 10 * MIB;
  await clock.advance(150);
  assert.equal(state.trims, 2);
});

test("garbage is collected before memory is given back", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  await clock.advance(10_000);
  assert.equal(state.collections, 0);
  state.usedBytes += 8 * MIB;
  await clock.advance(10_000);
  assert.equal(state.collections, 1);
});

test("it ends", async () => {
  const { clock, state, relief } = startRelief();
  relief[Symbol.dispose]();
  state.heldBytes = 0;
  state.usedBytes *= 2;
  await clock.advance(60_000);
  assert.equal(state.trims + state.programReleases + state.collections, 0);
});
