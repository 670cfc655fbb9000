import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { WorkQueue } from "./work-queue.ts";

test("a key waits once and keys are served in the order they came", async () => {
  using queue = new WorkQueue({ clock: new VirtualClock() });
  for (const key of ["a", "b", "a"]) queue.add(key);
  assert.equal(queue.size, 2);
  assert.deepEqual([await queue.take(), await queue.take()], ["a", "b"]);
});

test("a key that a worker has is not handed out again before it is done", async () => {
  using queue = new WorkQueue({ clock: new VirtualClock() });
  queue.add("a");
  await queue.take();
  queue.add("a");
  assert.equal(queue.size, 0);
  assert.equal(queue.idle, false);
  queue.done("a");
  assert.equal(await queue.take(), "a");
  queue.done("a");
  assert.equal(queue.idle, true);
});

test("a worker that waits gets the next key", async () => {
  using queue = new WorkQueue({ clock: new VirtualClock() });
  const taking = queue.take();
  queue.add("a");
  queue.add("a");
  assert.equal(await taking, "a");
  queue.done("a");
  assert.equal(await queue.take(), "a");
});

test("of several delays the shortest counts", async () => {
  const clock = new VirtualClock();
  using queue = new WorkQueue({ clock });
  queue.addAfter("a", 100);
  queue.addAfter("a", 10);
  queue.addAfter("a", 50);
  await clock.advance(10);
  assert.equal(queue.size, 1);
  assert.equal(clock.pendingTimers, 0);
});

test("retries wait twice as long each time, until the key is forgotten", async () => {
  const clock = new VirtualClock();
  using queue = new WorkQueue({ clock, retry: { baseMs: 5, maxMs: 30 } });
  const delays = Array.from({ length: 5 }, () => queue.retry("a").delayMs);
  assert.deepEqual(delays, [5, 10, 20, 30, 30]);
  queue.forget("a");
  assert.equal(queue.retry("a").delayMs, 5);
});

test("a full queue refuses new keys and closing sends workers home", async () => {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ clock, sizeMax: 1 });
  assert.equal(queue.add("a"), true);
  assert.equal(queue.add("b"), false);
  assert.equal(queue.add("a"), true);
  await queue.take();
  const waiting = queue.take();
  queue.addAfter("c", 10);
  queue[Symbol.dispose]();
  assert.equal(await waiting, undefined);
  assert.equal(clock.pendingTimers, 0);
});
