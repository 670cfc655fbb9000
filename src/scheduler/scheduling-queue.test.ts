import assert from "node:assert/strict";
import { test } from "node:test";
import { profileOf } from "./pod-profile.ts";
import { SchedulingQueue } from "./scheduling-queue.ts";

const profile = (name: string, priority = 0) =>
  profileOf({
    metadata: { name, uid: name, namespace: "default" },
    spec: { containers: [], priority },
  });
const unfit = new Set(["NodeResourcesFit"] as const);
const drain = (queue: SchedulingQueue) => {
  const names: string[] = [];
  for (let pod = queue.next(); pod; pod = queue.next()) names.push(pod.name);
  return names;
};

test("priority goes first, then arrival", () => {
  const queue = new SchedulingQueue();
  for (const [name, priority] of [
    ["a", 0],
    ["b", 5],
    ["c", 0],
    ["d", 5],
  ] as const) {
    queue.add(profile(name, priority), 0);
  }
  assert.deepEqual(drain(queue), ["b", "d", "a", "c"]);
});

test("a refused pod sleeps until a change that can help, and through its back-off", () => {
  const queue = new SchedulingQueue();
  queue.add(profile("a"), 0);
  queue.next();
  queue.refused("a", { rejectedBy: unfit, nowMs: 0 });
  queue.wakeUp("pod-added", 2000);
  assert.deepEqual(drain(queue), []);
  queue.wakeUp("pod-removed", 500);
  assert.deepEqual(drain(queue), []);
  assert.equal(queue.advance(600), 400);
  assert.equal(queue.advance(1000), undefined);
  assert.deepEqual(drain(queue), ["a"]);
});

test("a sleeper whose back-off is over is tried at once", () => {
  const queue = new SchedulingQueue();
  queue.add(profile("a"), 0);
  queue.next();
  queue.refused("a", { rejectedBy: unfit, nowMs: 0 });
  queue.wakeUp("pod-removed", 1500);
  assert.deepEqual(drain(queue), ["a"]);
});

test("nobody sleeps for more than five minutes", () => {
  const queue = new SchedulingQueue();
  queue.add(profile("a"), 0);
  queue.next();
  queue.refused("a", { rejectedBy: unfit, nowMs: 0 });
  assert.equal(queue.advance(0), 300_000);
  queue.advance(300_000);
  assert.deepEqual(drain(queue), ["a"]);
});

test("a pod whose binding is on its way is not tried by another change", () => {
  const queue = new SchedulingQueue();
  queue.add(profile("a"), 0);
  queue.next();
  queue.wakeUp("node-added", 10_000);
  queue.add(profile("a"), 10_000);
  assert.deepEqual(drain(queue), []);
  queue.failed("a", 10_000);
  assert.equal(queue.advance(10_000), 1000);
});

test("a removed pod is never handed out", () => {
  const queue = new SchedulingQueue();
  queue.add(profile("a"), 0);
  queue.remove("a");
  assert.deepEqual(drain(queue), []);
  assert.equal(queue.size, 0);
});
