import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { Deadlines, REQUEST_MAX_MS } from "./deadline.ts";

const never = new Promise<never>(() => {});

/** How the promise ended so far. */
function ending(promise: Promise<unknown>): { now: string } {
  const end = { now: "waiting" };
  promise.then(
    () => (end.now = "done"),
    (error: unknown) => (end.now = error instanceof StatusError ? error.reason : "failed"),
  );
  return end;
}

test("each request has its whole time, and those that end in time are forgotten", async () => {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock);
  const first = ending(deadlines.within(REQUEST_MAX_MS, never));
  const quick = ending(deadlines.within(REQUEST_MAX_MS, Promise.resolve(1)));
  const broken = ending(deadlines.within(REQUEST_MAX_MS, Promise.reject(new Error("no"))));
  await clock.advance(10_000);
  const second = ending(deadlines.within(REQUEST_MAX_MS, never));
  assert.deepEqual([quick.now, broken.now], ["done", "failed"]);
  await clock.advance(REQUEST_MAX_MS - 10_001);
  assert.equal(first.now, "waiting");
  await clock.advance(1);
  assert.deepEqual([first.now, second.now], ["Timeout", "waiting"]);
  await clock.advance(10_000);
  assert.equal(second.now, "Timeout");
  assert.equal(clock.pendingTimers, 0);
});

test("a request that asks for less gets less", async () => {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock);
  const short = ending(deadlines.within(5, never));
  await deadlines.within(5, Promise.resolve());
  await clock.advance(4);
  assert.equal(short.now, "waiting");
  await clock.advance(1);
  await settle();
  assert.equal(short.now, "Timeout");
});
