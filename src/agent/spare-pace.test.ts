import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { createSparePace } from "./spare-pace.ts";

function paceOf({ max = Number.POSITIVE_INFINITY, timed = true } = {}) {
  const clock = new VirtualClock();
  const madeAtMs: number[] = [];
  const make = () => madeAtMs.length < max && madeAtMs.push(clock.monotonicMs()) > 0;
  const pace = createSparePace({ ...(timed && { clock }), make });
  return { clock, madeAtMs, pace };
}

test("the first is made after half a second, the next ones 15 ms apart, and no timer stays", async () => {
  const { clock, madeAtMs, pace } = paceOf({ max: 3 });
  await clock.advance(10_000);
  assert.deepEqual(madeAtMs, [], "it was not told to begin");
  pace.begin();
  await clock.advance(10_000);
  assert.deepEqual(madeAtMs, [10_500, 10_515, 10_530]);
  assert.equal(clock.pendingTimers, 0);
});

test("a pod that comes or starts puts off what is made ahead", async () => {
  const { clock, madeAtMs, pace } = paceOf({ max: 2 });
  pace.begin();
  await clock.advance(499);
  pace.podComes();
  await clock.advance(499);
  pace.prepareNext(false);
  await clock.advance(499);
  assert.deepEqual(madeAtMs, []);
  await clock.advance(1);
  assert.deepEqual(madeAtMs, [1497 + 1]);
  pace.podComes();
  await clock.advance(499);
  assert.equal(madeAtMs.length, 1, "also in the middle of filling");
  await clock.advance(1);
  assert.equal(madeAtMs.length, 2);
});

test("the start of a pod that came alone is a moment to make one, that of others is none", () => {
  const { madeAtMs, pace } = paceOf({ timed: false });
  pace.prepareNext(true);
  assert.equal(madeAtMs.length, 0, "no pod came");
  pace.podComes();
  pace.prepareNext(false);
  assert.equal(madeAtMs.length, 0, "others start");
  pace.podComes();
  pace.podComes();
  pace.prepareNext(true);
  assert.equal(madeAtMs.length, 0, "two came");
  pace.podComes();
  pace.prepareNext(true);
  assert.equal(madeAtMs.length, 1);
  pace.prepareNext(true);
  assert.equal(madeAtMs.length, 1, "none came since");
});

test("without a clock nothing is made while no pod comes", async () => {
  const { clock, madeAtMs, pace } = paceOf({ timed: false });
  pace.begin();
  pace.podComes();
  await clock.advance(60_000);
  assert.deepEqual(madeAtMs, []);
});

test("nothing is made any more once it is disposed of", async () => {
  const { clock, madeAtMs, pace } = paceOf();
  pace.begin();
  pace[Symbol.dispose]();
  pace.podComes();
  pace.prepareNext(true);
  await clock.advance(60_000);
  assert.deepEqual(madeAtMs, []);
  assert.equal(clock.pendingTimers, 0);
});
