import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { startMemoryRelief } from "./memory-relief.ts";

const MIB = 1 << 20;

function startRelief() {
  const clock = new VirtualClock();
  const state = {
    heldBytes: 100 * MIB,
    trims: 0,
    mappedBytes: 40 * MIB,
    fileReleases: 0,
    programReleases: 0,
  };
  const relief = startMemoryRelief(clock, {
    heldBytes: () => state.heldBytes,
    trim: () => void state.trims++,
    mappedBytes: () => state.mappedBytes,
    releaseFiles: () => {
      state.fileReleases++;
      state.mappedBytes = 20 * MIB;
    },
    releaseProgram: () => {
      state.programReleases++;
      state.mappedBytes = 10 * MIB;
    },
  });
  return { clock, state, relief };
}

test("what the collector let go of is given back, little by little or at once", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  await clock.advance(10_000);
  assert.equal(state.trims, 0);
  state.heldBytes -= 5 * MIB;
  await clock.advance(1_000);
  assert.equal(state.trims, 0);
  // Growth does not count against it.
  state.heldBytes += 20 * MIB;
  await clock.advance(1_000);
  state.heldBytes -= 5 * MIB;
  await clock.advance(1_000);
  assert.equal(state.trims, 1);
  await clock.advance(10_000);
  assert.equal(state.trims, 1);
});

test("it happens every two seconds at most, and what came meanwhile is not forgotten", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  await clock.advance(2_000);
  for (let step = 0; step < 3; step++) {
    state.heldBytes -= 10 * MIB;
    await clock.advance(500);
  }
  assert.equal(state.trims, 1);
  await clock.advance(2_000);
  assert.equal(state.trims, 2);
});

test("what the start of the program needed is let go of once", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  await clock.advance(1_000);
  assert.equal(state.programReleases, 0);
  await clock.advance(60_000);
  assert.equal(state.programReleases, 1);
  assert.equal(state.fileReleases, 0);
});

test("mapped files are let go of when more of them are resident than after the last time", async () => {
  const { clock, state, relief } = startRelief();
  using _relief = relief;
  await clock.advance(30_000);
  state.mappedBytes = 17 * MIB;
  await clock.advance(1_000);
  assert.equal(state.fileReleases, 0);
  state.mappedBytes = 18 * MIB;
  await clock.advance(1_000);
  assert.equal(state.fileReleases, 1);
  // What stays counts as needed.
  state.mappedBytes = 27 * MIB;
  await clock.advance(1_000);
  assert.equal(state.fileReleases, 1);
});

test("many writes do not wait for a timer", () => {
  const { state, relief } = startRelief();
  using _relief = relief;
  state.mappedBytes = 400 * MIB;
  relief.wrote(10);
  assert.equal(state.fileReleases, 0);
  relief.wrote(1_000);
  assert.equal(state.fileReleases, 1);
});

test("it ends", async () => {
  const { clock, state, relief } = startRelief();
  relief[Symbol.dispose]();
  state.heldBytes = 0;
  await clock.advance(60_000);
  assert.equal(state.trims + state.programReleases, 0);
});
