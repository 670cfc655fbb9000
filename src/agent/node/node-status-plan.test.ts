import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allocatableOf,
  conditionNews,
  conditionsOf,
  missingLabels,
  nodeLabels,
  statusChanged,
} from "./node-status-plan.ts";

const calm = { memory: false, disk: false, pids: false };

test("a healthy node is Ready and under no pressure", () => {
  const conditions = conditionsOf({ pressure: calm }, [], 1_000_000);
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    [
      "MemoryPressure=False KubeletHasSufficientMemory",
      "DiskPressure=False KubeletHasNoDiskPressure",
      "PIDPressure=False KubeletHasSufficientPID",
      "Ready=True KubeletReady",
    ],
  );
});

test("what became otherwise is an event, also the first time that it is told", () => {
  const at = (pressure: typeof calm, problem?: string) =>
    conditionsOf({ pressure, problem }, [], 0);
  const fine = at(calm);
  assert.deepEqual(conditionNews([], fine), [
    "NodeHasSufficientMemory",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientPID",
    "NodeReady",
  ]);
  assert.deepEqual(conditionNews(fine, at(calm)), []);
  const bad = at({ memory: true, disk: true, pids: true }, "the runtime is gone");
  assert.deepEqual(conditionNews(fine, bad), [
    "NodeHasInsufficientMemory",
    "NodeHasDiskPressure",
    "NodeHasInsufficientPID",
    "NodeNotReady",
  ]);
});

test("only a real change moves the transition time and makes a write", () => {
  const first = conditionsOf({ pressure: calm }, [], 1_000_000);
  const second = conditionsOf({ pressure: calm }, first, 9_000_000);
  assert.equal(second[3]?.lastTransitionTime, first[3]?.lastTransitionTime);
  assert.notEqual(second[3]?.lastHeartbeatTime, first[3]?.lastHeartbeatTime);
  const told = (conditions: typeof first) => ({ conditions, allocatable: {} });
  assert.equal(statusChanged({ conditions: first }, told(second)), false);
  const broken = conditionsOf({ pressure: calm, problem: "no network" }, second, 9_500_000);
  assert.equal(statusChanged({ conditions: second }, told(broken)), true);
  const others = [...second, { type: "Mine", status: "True" }];
  assert.equal(statusChanged({ conditions: others }, told(second)), false);
  assert.notEqual(broken[3]?.lastTransitionTime, first[3]?.lastTransitionTime);
});

test("labels that users added stay", () => {
  const wanted = nodeLabels({ name: "n", architecture: "amd64" });
  const node = { metadata: { labels: { ...wanted, "kubernetes.io/hostname": "old", mine: "x" } } };
  assert.deepEqual(missingLabels(node, wanted), { "kubernetes.io/hostname": "n" });
});

test("resources that others put into the capacity become allocatable, and go with it", () => {
  const own = { capacity: { cpu: "2" }, allocatable: { cpu: "1" } };
  const stored = { capacity: { cpu: "2", "example.com/gpu": "4" }, allocatable: { cpu: "1" } };
  const wanted = allocatableOf(own, stored);
  assert.deepEqual(wanted, { cpu: "1", "example.com/gpu": "4" });
  assert.equal(statusChanged(stored, { capacity: own.capacity, allocatable: wanted }), true);
  const without = { capacity: { cpu: "2" }, allocatable: { cpu: "1", "example.com/gpu": "4" } };
  assert.deepEqual(allocatableOf(own, without), { cpu: "1", "example.com/gpu": null });
});
