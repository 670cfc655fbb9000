import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { PodDisruptionBudget } from "../../api/generated/types/policy-v1.ts";
import { disruptionStatus } from "./disruption-plan.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");

function pods(ready: number, unready = 0): Pod[] {
  const one = (name: string, status: "True" | "False"): Pod => ({
    metadata: { name },
    status: { phase: "Running", conditions: [{ type: "Ready", status }] },
  });
  return [
    ...Array.from({ length: ready }, (_, at) => one(`r${at}`, "True")),
    ...Array.from({ length: unready }, (_, at) => one(`u${at}`, "False")),
  ];
}

const CASES: [
  name: string,
  spec: NonNullable<PodDisruptionBudget["spec"]>,
  pods: Pod[],
  expected: number | undefined,
  allowed: number,
][] = [
  ["minAvailable as a number", { minAvailable: 2 }, pods(3), undefined, 1],
  ["minAvailable in percent of what is wanted", { minAvailable: "50%" }, pods(3), 5, 0],
  ["maxUnavailable counts missing pods", { maxUnavailable: 1 }, pods(2), 3, 0],
  ["maxUnavailable with all there", { maxUnavailable: 1 }, pods(3), 3, 1],
  ["maxUnavailable in percent rounds up", { maxUnavailable: "30%" }, pods(3), 3, 1],
  ["unready pods are no help", { minAvailable: 1 }, pods(1, 2), undefined, 0],
  ["no pods, nothing to disrupt", { minAvailable: 0 }, [], undefined, 0],
];
for (const [name, spec, members, expected, allowed] of CASES) {
  test(`a budget with ${name} allows ${allowed}`, () => {
    const observed = { pods: members, expected, nowMs: NOW };
    const { status } = disruptionStatus({ spec }, observed);
    assert.equal(status.disruptionsAllowed, allowed);
    assert.equal(
      status.conditions?.[0]?.reason,
      allowed > 0 ? "SufficientPods" : "InsufficientPods",
    );
    assert.deepEqual(disruptionStatus({ spec, status }, observed).status, status);
  });
}

test("an allowed eviction counts until the pod is gone, or for two minutes", () => {
  const disrupted = (since: string): PodDisruptionBudget => ({
    spec: { minAvailable: 1 },
    status: {
      disruptedPods: { r0: since },
      currentHealthy: 3,
      desiredHealthy: 1,
      disruptionsAllowed: 2,
      expectedPods: 3,
    },
  });
  const observed = { pods: pods(3), expected: undefined, nowMs: NOW };
  const fresh = disruptionStatus(disrupted("2029-12-31T23:59:00Z"), observed);
  assert.equal(fresh.status.disruptionsAllowed, 1);
  assert.equal(fresh.requeueAfterMs, 60_000);
  const stale = disruptionStatus(disrupted("2029-12-31T23:00:00Z"), observed);
  assert.equal(stale.status.disruptionsAllowed, 2);
});

test("a budget spares nothing while the size of a workload is unknown", () => {
  const why = 'found no controllers for pod "r0"';
  const observed = { pods: pods(3), expected: why, nowMs: NOW };
  const { status } = disruptionStatus({ spec: { maxUnavailable: 1 } }, observed);
  const [condition] = status.conditions ?? [];
  assert.equal(status.disruptionsAllowed, 0);
  assert.deepEqual([condition?.reason, condition?.message], ["SyncFailed", why]);
  assert.deepEqual(
    disruptionStatus({ spec: { maxUnavailable: 1 }, status }, observed).status,
    status,
  );
});

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).
const COUNTS: [
  budget: string,
  spec: NonNullable<PodDisruptionBudget["spec"]>,
  pods: Pod[],
  size: number | undefined,
  counts: [allowed: number, healthy: number, desired: number, expected: number],
][] = [
  ...[0, 1, 2, 3].map((count): (typeof COUNTS)[number] => [
    "three at least",
    { minAvailable: 3 },
    pods(count),
    undefined,
    [0, count, 3, count],
  ]),
  ["three at least", { minAvailable: 3 }, pods(4), undefined, [1, 4, 3, 4]],
  ["three at least", { minAvailable: 3 }, pods(3, 1), undefined, [0, 3, 3, 4]],
  ["two at most", { maxUnavailable: 2 }, pods(1), 7, [0, 1, 5, 7]],
  ["two at most", { maxUnavailable: 2 }, pods(1), 5, [0, 1, 3, 5]],
  ["30% at most", { maxUnavailable: "30%" }, pods(1), 7, [0, 1, 4, 7]],
  ["30% at most", { maxUnavailable: "30%" }, pods(1), 3, [0, 1, 2, 3]],
  ["28% at least", { minAvailable: "28%" }, pods(1), 0, [0, 1, 0, 0]],
  ["20% at least", { minAvailable: "20%" }, pods(1), 10, [0, 1, 2, 10]],
  ["five at most", { maxUnavailable: 5 }, pods(4), 10, [0, 4, 5, 10]],
  ["1% at least", { minAvailable: "1%" }, pods(2), 1, [1, 2, 1, 1]],
  ["34% at least", { minAvailable: "34%" }, pods(2), 3, [0, 2, 2, 3]],
  ["34% at least", { minAvailable: "34%" }, pods(3), 3, [1, 3, 2, 3]],
];
for (const [budget, spec, members, size, counts] of COUNTS) {
  test(`${budget} of ${size ?? members.length} with ${members.length} pods: ${counts}`, () => {
    const { status } = disruptionStatus({ spec }, { pods: members, expected: size, nowMs: NOW });
    assert.deepEqual(
      [
        status.disruptionsAllowed,
        status.currentHealthy,
        status.desiredHealthy,
        status.expectedPods,
      ],
      counts,
    );
  });
}

test("of allowed evictions those are forgotten that came, or did not come in time", () => {
  const now = new Date(NOW).toISOString();
  const disruptedPods = {
    r0: now,
    r1: new Date(NOW - 5 * 60_000).toISOString(),
    r2: now,
    notthere: now,
  };
  const [first, ...others] = pods(3);
  const leaving = { ...first, metadata: { ...first?.metadata, deletionTimestamp: now } };
  const counts = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  const { status, overdue } = disruptionStatus(
    { spec: { minAvailable: 1 }, status: { ...counts, disruptedPods } },
    { pods: [leaving, ...others], expected: undefined, nowMs: NOW },
  );
  assert.deepEqual(status.disruptedPods, { r2: now });
  assert.deepEqual(
    [status.disruptionsAllowed, status.currentHealthy, status.desiredHealthy, status.expectedPods],
    [0, 1, 1, 3],
  );
  assert.deepEqual(
    overdue.map(({ metadata }) => metadata?.name),
    ["r1"],
  );
});
