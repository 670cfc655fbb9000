import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "./clock.ts";
import { VirtualClock } from "./virtual-clock.ts";

test("timers fire in order of time, then in order of setting, each at its own instant", async () => {
  const clock = new VirtualClock(1_000);
  const fired: [string, number][] = [];
  const note = (name: string) => () => void fired.push([name, clock.now()]);
  clock.setTimer(20, note("late"));
  clock.setTimer(10, note("first"));
  clock.setTimer(10, note("second"));
  clock.setTimer(10, note("cancelled")).cancel();
  await clock.advance(15);
  assert.deepEqual(fired, [
    ["first", 1_010],
    ["second", 1_010],
  ]);
  await clock.advance(5);
  assert.deepEqual(fired.at(-1), ["late", 1_020]);
  assert.equal(clock.pendingTimers, 0);
});

test("a timer set by work that a timer woke up is still part of the same advance", async () => {
  const clock = new VirtualClock();
  let steps = 0;
  const walk = async () => {
    for (; steps < 3; steps++) await sleep(clock, 10);
  };
  const walking = walk();
  await clock.advance(30);
  assert.equal(steps, 3);
  await walking;
});

test("advancing until a state that never comes says so", async () => {
  const clock = new VirtualClock();
  await assert.rejects(
    clock.advanceUntil(() => false, 100),
    /within 100 ms/,
  );
});
