import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { PodValue } from "./pod-groups.ts";
import {
  type PodsMetric,
  replicasForAverage,
  replicasForShare,
  replicasForUtilization,
  replicasForValue,
} from "./replica-calculator.ts";

const NOW = Date.parse("2030-01-01T12:00:00Z");
const HOUR_AGO = "2030-01-01T11:00:00Z";

interface Case {
  what: string;
  /** Use of each pod in thousandths; `null` has no metrics, each pod requests 1 CPU. */
  use: (number | null)[];
  /** By index. */
  unready?: number[];
  pending?: number[];
  current?: number;
  percent: number;
  expected: number;
}

function podOf(at: number, { unready = [], pending = [] }: Case): Pod {
  const isReady = !unready.includes(at);
  const ready = { type: "Ready", status: isReady ? "True" : "False" };
  const conditions = [{ ...ready, lastTransitionTime: HOUR_AGO }];
  return {
    metadata: { name: `p${at}` },
    spec: { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] },
    status: {
      phase: pending.includes(at) ? "Pending" : "Running",
      startTime: HOUR_AGO,
      conditions,
    },
  };
}

function metricOf(of: Case): PodsMetric {
  const values = of.use.flatMap((milli, at): [string, PodValue][] =>
    milli === null ? [] : [[`p${at}`, { milli, atMs: NOW, windowMs: 60_000 }]],
  );
  return {
    pods: of.use.map((_, at) => podOf(at, of)),
    values: new Map(values),
    currentReplicas: of.current ?? of.use.length,
    resource: "cpu",
    nowMs: NOW,
  };
}

const CASES: readonly Case[] = [
  { what: "more use, more pods", use: [300, 500, 700], percent: 30, expected: 5 },
  { what: "less use, fewer pods", use: [100, 300, 500, 250, 250], percent: 50, expected: 3 },
  { what: "within the tolerance", use: [520, 540], percent: 50, expected: 2 },
  {
    what: "unready ones do not grow",
    use: [300, 500, 700],
    unready: [0],
    percent: 30,
    expected: 4,
  },
  {
    what: "pending ones count as unused",
    use: [null, 500, 700],
    pending: [0],
    percent: 30,
    expected: 4,
  },
  { what: "a silent pod is unused when growing", use: [null, 950], percent: 50, expected: 2 },
  { what: "a silent pod is used when shrinking", use: [null, 400, 500], percent: 100, expected: 2 },
  { what: "silence does not turn the direction", use: [null, 450], percent: 50, expected: 2 },
];

for (const of of CASES) {
  test(`utilization: ${of.what}`, () => {
    const found = replicasForUtilization(metricOf(of), { targetPercent: of.percent });
    assert.equal(found.replicas, of.expected);
  });
}

test("the utilization of the pods is told in whole percent and as an amount", () => {
  const metric = metricOf({ what: "", use: [300, 500, 700], percent: 30, expected: 0 });
  const { utilization, averageMilli } = replicasForUtilization(metric, { targetPercent: 30 });
  assert.deepEqual({ utilization, averageMilli }, { utilization: 50, averageMilli: 500 });
  const { replicas } = replicasForAverage(metric, 250);
  assert.equal(replicas, 6);
});

test("without pods, values or requests there is no answer, but a reason", () => {
  const empty = metricOf({ what: "", use: [], percent: 30, expected: 0 });
  assert.throws(() => replicasForAverage(empty, 1), /no pods returned by selector/);
  const silent = metricOf({ what: "", use: [null], percent: 30, expected: 0 });
  assert.throws(() => replicasForAverage(silent, 1), /did not receive metrics for targeted pods/);
  const metric = metricOf({ what: "", use: [100], percent: 30, expected: 0 });
  const memory = { ...metric, resource: "memory" };
  assert.throws(
    () => replicasForUtilization(memory, { targetPercent: 1 }),
    /missing request for memory in container c of Pod p0/,
  );
});

test("a value of all pods together, whole and shared", () => {
  const { pods } = metricOf({ what: "", use: [1, 1, 1], percent: 1, expected: 0 });
  const whole = (milli: number, currentReplicas = 3) =>
    replicasForValue({ pods, currentReplicas }, { milli, targetMilli: 100 });
  assert.deepEqual([whole(200), whole(105), whole(50), whole(250, 0)], [6, 3, 2, 3]);
  const share = (milli: number, current: number) =>
    replicasForShare(current, { milli, targetMilli: 100 });
  assert.deepEqual([share(1000, 3), share(310, 3), share(0, 3), share(500, 0)], [10, 3, 0, 5]);
});

test("pods that request nothing have no utilization", () => {
  const metric = metricOf({ what: "", use: [300, 500], percent: 30, expected: 0 });
  const pods = metric.pods.map((pod) => ({
    ...pod,
    spec: { containers: [{ name: "c", resources: { requests: { cpu: "0" } } }] },
  }));
  assert.throws(
    () => replicasForUtilization({ ...metric, pods }, { targetPercent: 30 }),
    /no metrics returned matched known pods/,
  );
});
