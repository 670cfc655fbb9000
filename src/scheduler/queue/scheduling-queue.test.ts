import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterEvent } from "../framework/contract.ts";
import { type PodRecord, ProfileTable } from "../pod/pod-profile.ts";
import { ClusterState } from "../state/cluster-state.ts";
import { SchedulingQueue } from "./scheduling-queue.ts";

const profile = (name: string, priority = 0) =>
  new ProfileTable().recordOf({
    metadata: { name, uid: name, namespace: "default" },
    spec: { containers: [], priority },
  });
const unfit = new Set(["NodeResourcesFit"]);
const state = new ClusterState();
const newQueue = () =>
  new SchedulingQueue({
    compare: (a: PodRecord, b: PodRecord) => b.profile.priority - a.profile.priority,
    hints: new Map([["NodeResourcesFit", ({ kind }: ClusterEvent) => kind === "pod-removed"]]),
  });
const happens = (
  queue: SchedulingQueue,
  of: { kind: "pod-added" | "pod-removed"; nowMs: number },
) =>
  queue.wakeUp(
    { kind: of.kind, pod: profile("other"), slot: undefined },
    { state, nowMs: of.nowMs },
  );
const drain = (queue: SchedulingQueue) => {
  const names: string[] = [];
  for (let pod = queue.next(); pod; pod = queue.next()) names.push(pod.name);
  return names;
};

test("priority goes first, then arrival", () => {
  const queue = newQueue();
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
  const queue = newQueue();
  queue.add(profile("a"), 0);
  queue.next();
  queue.refused("a", { rejectedBy: unfit, nowMs: 0 });
  happens(queue, { kind: "pod-added", nowMs: 2000 });
  assert.deepEqual(drain(queue), []);
  happens(queue, { kind: "pod-removed", nowMs: 500 });
  assert.deepEqual(drain(queue), []);
  assert.equal(queue.advance(600), 400);
  assert.equal(queue.advance(1000), undefined);
  assert.deepEqual(drain(queue), ["a"]);
});

test("a sleeper whose back-off is over is tried at once", () => {
  const queue = newQueue();
  queue.add(profile("a"), 0);
  queue.next();
  queue.refused("a", { rejectedBy: unfit, nowMs: 0 });
  happens(queue, { kind: "pod-removed", nowMs: 1500 });
  assert.deepEqual(drain(queue), ["a"]);
});

test("nobody sleeps for more than five minutes", () => {
  const queue = newQueue();
  queue.add(profile("a"), 0);
  queue.next();
  queue.refused("a", { rejectedBy: unfit, nowMs: 0 });
  assert.equal(queue.advance(0), 300_000);
  queue.advance(300_000);
  assert.deepEqual(drain(queue), ["a"]);
});

test("a pod whose binding is on its way is not tried by another change", () => {
  const queue = newQueue();
  queue.add(profile("a"), 0);
  queue.next();
  queue.wakeUp({ kind: "node-added", slot: 0 }, { state, nowMs: 10_000 });
  queue.add(profile("a"), 10_000);
  assert.deepEqual(drain(queue), []);
  queue.failed("a", 10_000);
  assert.equal(queue.advance(10_000), 1000);
});

const MEANWHILE: [string, (queue: SchedulingQueue) => void, boolean][] = [
  ["nothing happened", () => undefined, false],
  ["something helped", (queue) => happens(queue, { kind: "pod-removed", nowMs: 0 }), true],
  ["nothing helped", (queue) => happens(queue, { kind: "pod-added", nowMs: 0 }), false],
  ["the pod changed", (queue) => queue.add(profile("a"), 0), true],
];
for (const [name, meanwhile, isHelped] of MEANWHILE) {
  test(`a decision that took its time, and meanwhile ${name}`, () => {
    const queue = newQueue();
    queue.add(profile("a"), 0);
    happens(queue, { kind: "pod-removed", nowMs: 0 });
    queue.next();
    queue.ponder("a");
    meanwhile(queue);
    assert.deepEqual(drain(queue), []);
    queue.refused("a", { rejectedBy: unfit, nowMs: 0 });
    assert.deepEqual(drain(queue), []);
    assert.equal(queue.isAsleep("a"), !isHelped);
    queue.advance(1000);
    assert.deepEqual(drain(queue), isHelped ? ["a"] : []);
  });
}

test("a removed pod is never handed out", () => {
  const queue = newQueue();
  queue.add(profile("a"), 0);
  queue.remove("a");
  assert.deepEqual(drain(queue), []);
  assert.equal(queue.size, 0);
});

// Facts of upstream's tests of the queue, Kubernetes 1.32, Apache-2.0.

test("a pod that was tried goes behind equals that wait", () => {
  const queue = newQueue();
  for (const name of ["a", "b", "c"]) queue.add(profile(name), 0);
  assert.equal(queue.next()?.name, "a");
  queue.refused("a", { rejectedBy: unfit, nowMs: 0 });
  happens(queue, { kind: "pod-removed", nowMs: 20_000 });
  assert.deepEqual(drain(queue), ["b", "c", "a"]);
});

test("a more important pod that backs off holds up nobody", () => {
  const queue = newQueue();
  queue.add(profile("low"), 0);
  queue.add(profile("high", 9), 0);
  assert.equal(queue.next()?.name, "high");
  queue.refused("high", { rejectedBy: unfit, nowMs: 0 });
  happens(queue, { kind: "pod-removed", nowMs: 0 });
  assert.deepEqual(drain(queue), ["low"]);
});

test("each attempt doubles the back-off, up to the longest", () => {
  const queue = newQueue();
  queue.add(profile("a"), 0);
  const delays = Array.from({ length: 7 }, () => {
    queue.activate("a");
    queue.next();
    queue.failed("a", 0);
    return queue.advance(0);
  });
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});
