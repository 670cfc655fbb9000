import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodStatus } from "../../api/generated/types/core-v1.ts";
import { groupPods, type PodValue } from "./pod-groups.ts";
import {
  type PodsMetric,
  replicasForAverage,
  replicasForShare,
  replicasForUtilization,
  replicasForValue,
} from "./replica-calculator.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const NOW = Date.parse("2030-01-01T12:00:00Z");
const time = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString();

/** Of a pod: Ready, Unready since ever, just started (Hot), Pending, Failed, on its way out (D). */
type PodWord = "R" | "U" | "H" | "P" | "F" | "D";

function podOf(word: PodWord, at: number, request: number | undefined): Pod {
  const startedAgo = word === "H" ? 1 : 3600;
  const ready = {
    type: "Ready",
    status: word === "R" || word === "H" ? "True" : "False",
    lastTransitionTime: time(startedAgo),
  };
  const resources = request === undefined ? {} : { requests: { cpu: `${request}m` } };
  return {
    metadata: { name: `p${at}`, ...(word === "D" ? { deletionTimestamp: time(0) } : {}) },
    spec: { containers: ["one", "two"].map((name) => ({ name, resources })) },
    status: {
      phase: word === "P" ? "Pending" : word === "F" ? "Failed" : "Running",
      startTime: time(startedAgo),
      conditions: [ready],
    },
  };
}

interface Row {
  title: string;
  current: number;
  /** All ready when absent. */
  pods?: string;
  /** In thousandths of a CPU, of each of a pod's two containers. */
  use: number[];
  /** 1000 when absent; undefined in the list is no request. */
  requests?: (number | undefined)[];
  target: number;
  outcome: [replicas: number, utilization: number, averageMilli: number] | RegExp;
}

function metricOf({ current, pods, use, requests }: Omit<Row, "title" | "outcome" | "target">) {
  const words = (pods?.split(" ") ?? Array.from({ length: current }, () => "R")) as PodWord[];
  const value = (milli: number): PodValue => ({ milli, atMs: NOW, windowMs: 60_000 });
  return {
    pods: words.map((word, at) => podOf(word, at, requests ? requests[at] : 1000)),
    values: new Map(use.map((milli, at) => [`p${at}`, value(milli)])),
    currentReplicas: current,
    resource: "cpu",
    nowMs: NOW,
  } satisfies PodsMetric;
}

const up = { current: 3, use: [300, 500, 700], target: 30 };
const down = { current: 5, use: [100, 300, 500, 250, 250], target: 50 };
const spread = [400, 200, 310, 290, 302, 298, 301, 299, 300, 300];
const level = { current: 10, use: spread.map(() => 150), requests: spread };

const rows: Row[] = [
  { title: "more use", ...up, outcome: [5, 50, 1000] },
  { title: "more use beside an unready pod", ...up, pods: "U R R", outcome: [4, 60, 1200] },
  { title: "more use beside a new pod", ...up, pods: "H R R", outcome: [4, 60, 1200] },
  {
    title: "more use beside too many unready pods",
    ...up,
    use: [400, 500, 700],
    pods: "R U U",
    outcome: [3, 40, 800],
  },
  {
    title: "more use beside too many new pods",
    ...up,
    use: [400, 500, 700],
    pods: "R H H",
    outcome: [3, 40, 800],
  },
  {
    title: "more use beside failed pods",
    current: 2,
    pods: "R R F F",
    use: [500, 700],
    target: 30,
    outcome: [4, 60, 1200],
  },
  {
    title: "more use beside pods on their way out",
    current: 2,
    pods: "R R D D",
    use: [500, 700],
    target: 30,
    outcome: [4, 60, 1200],
  },
  { title: "less use", ...down, outcome: [3, 28, 560] },
  { title: "less use beside unready pods", ...down, pods: "R R R U U", outcome: [2, 30, 600] },
  { title: "less use beside new pods", ...down, pods: "R R R H H", outcome: [2, 30, 600] },
  {
    title: "less use beside pods without a node",
    ...down,
    use: [100],
    pods: "R P P P P",
    outcome: [1, 10, 200],
  },
  {
    title: "less use beside failed pods",
    ...down,
    pods: "R R R R R F F",
    outcome: [3, 28, 560],
  },
  {
    title: "less use beside pods on their way out",
    ...down,
    pods: "R R R R R D D",
    outcome: [3, 28, 560],
  },
  {
    title: "use about as wanted",
    current: 3,
    use: [1010, 1030, 1020],
    requests: [900, 1000, 1100],
    target: 100,
    outcome: [3, 102, 2040],
  },
  {
    title: "values of pods that are gone",
    current: 4,
    use: [4000, 9500, 3000, 7000, 3200, 2000],
    target: 100,
    outcome: [24, 587, 11750],
  },
  { title: "missing values", current: 4, use: [400, 95], target: 100, outcome: [3, 24, 495] },
  { title: "missing, as wanted", current: 2, use: [1000], target: 100, outcome: [2, 100, 2000] },
  { title: "missing, more", current: 2, use: [1900], target: 100, outcome: [2, 190, 3800] },
  { title: "missing, less", current: 2, use: [600], target: 100, outcome: [2, 60, 1200] },
  {
    title: "missing and unready, less",
    current: 3,
    pods: "U R R",
    use: [100, 450],
    target: 50,
    outcome: [3, 45, 900],
  },
  {
    title: "missing and new, less",
    current: 3,
    pods: "H R R",
    use: [100, 450],
    target: 50,
    outcome: [3, 45, 900],
  },
  {
    title: "missing and unready, more",
    current: 3,
    pods: "U R R",
    use: [100, 2000],
    target: 50,
    outcome: [4, 200, 4000],
  },
  {
    title: "missing and unready, far less",
    current: 4,
    pods: "U R R R",
    use: [100, 100, 100],
    target: 50,
    outcome: [3, 10, 200],
  },
  {
    title: "more pods than replicas, in a rollout",
    current: 2,
    pods: "R R R",
    use: [100, 100],
    target: 50,
    outcome: [2, 10, 200],
  },
  { title: "just beyond the tolerance", ...level, target: 56, outcome: [9, 50, 300] },
  { title: "just within the tolerance", ...level, target: 55, outcome: [10, 50, 300] },
  {
    title: "no request",
    current: 1,
    use: [200],
    requests: [undefined],
    target: 100,
    outcome: /missing request for cpu in container one of Pod p0/,
  },
];

for (const row of rows) {
  test(`utilization: ${row.title}`, () => {
    const metric = metricOf({ ...row, use: row.use.map((milli) => milli * 2) });
    const calculate = () => replicasForUtilization(metric, { targetPercent: row.target });
    if (row.outcome instanceof RegExp) return assert.throws(calculate, row.outcome);
    const { replicas, utilization, averageMilli } = calculate();
    assert.deepEqual([replicas, utilization, averageMilli], row.outcome);
    const ofOne = { targetPercent: row.target, container: "two" };
    const one = replicasForUtilization(metricOf(row), ofOne);
    assert.deepEqual([one.replicas, one.utilization], row.outcome.slice(0, 2));
  });
}

test("utilization: values of other pods only", () => {
  const metric = metricOf({ current: 1, use: [] });
  const values = new Map([["older", { milli: 100, atMs: NOW, windowMs: 60_000 }]]);
  assert.throws(
    () => replicasForUtilization({ ...metric, values }, { targetPercent: 100 }),
    /no metrics returned matched known pods/,
  );
});

const averages: [
  title: string,
  current: number,
  pods: string,
  use: number[],
  target: number,
  outcome: [number, number],
][] = [
  ["more", 3, "R R R", [20000, 10000, 30000], 15000, [4, 20000]],
  ["more, also of unready pods", 3, "R R H", [50000, 10000, 30000], 15000, [6, 30000]],
  ["more, though unready ones are busy", 3, "U R H", [50000, 15000, 30000], 15000, [7, 31666]],
  ["one pod", 1, "R", [8600], 4400, [2, 8600]],
  ["less", 5, "R R R R R", [12000, 12000, 12000, 12000, 12000], 20000, [3, 12000]],
  ["about as wanted", 3, "R R R", [20000, 21000, 21000], 20000, [3, 20666]],
];
for (const [title, current, pods, use, target, outcome] of averages) {
  test(`average of a metric: ${title}`, () => {
    const metric = { ...metricOf({ current, pods, use }), resource: "" };
    const { replicas, averageMilli } = replicasForAverage(metric, target);
    assert.deepEqual([replicas, averageMilli], outcome);
  });
}

const values: [current: number, pods: string, milli: number, target: number, replicas: number][] = [
  [3, "R R R", 20000, 15000, 4],
  [3, "U R U", 50000, 10000, 5],
  [3, "U R U", 8600, 4400, 2],
  [5, "R R R R R", 12000, 20000, 3],
  [5, "R R R R R", 8600, 14334, 3],
  [3, "R R R", 20666, 20000, 3],
  [3, "R R R", 8600, 8888, 3],
];
for (const [currentReplicas, words, milli, targetMilli, replicas] of values) {
  test(`a value of ${milli} for ${targetMilli} by ${words} is ${replicas} replicas`, () => {
    const { pods } = metricOf({ current: currentReplicas, pods: words, use: [] });
    assert.equal(replicasForValue({ pods, currentReplicas }, { milli, targetMilli }), replicas);
  });
}

const shares: [current: number, milli: number, target: number, replicas: number][] = [
  [3, 20000, 5000, 4],
  [3, 8600, 2150, 4],
  [5, 6000, 2000, 3],
  [5, 8600, 2867, 3],
  [4, 20166, 5000, 4],
  [3, 8600, 2900, 3],
];
for (const [current, milli, targetMilli, replicas] of shares) {
  test(`a share of ${targetMilli} of ${milli} from ${current} is ${replicas} replicas`, () => {
    assert.equal(replicasForShare(current, { milli, targetMilli }), replicas);
  });
}

type Group = "ready" | "unready" | "missing" | "ignored";
const groups: [
  title: string,
  group: Group,
  pod: PodStatus & { deleted?: boolean },
  value?: { ago: number; window: number },
  resource?: string,
][] = [
  ["any pod with a value of memory", "ready", {}, { ago: 0, window: 60 }, "memory"],
  ["no condition", "unready", { startTime: time(0) }, { ago: 0, window: 0 }],
  ["fresh value of a new pod", "ready", newly("True", 60, 30), { ago: 0, window: 30 }],
  ["old value of a new pod", "unready", newly("True", 60, 30), { ago: 0, window: 60 }],
  ["never ready", "unready", newly("False", 600, 594), { ago: 0, window: 0 }],
  ["old value of an old pod", "ready", newly("True", 360, 360), { ago: 120, window: 60 }],
  ["once ready", "ready", newly("False", 600, 540), { ago: 0, window: 0 }],
  ["no value", "missing", { startTime: time(180) }],
  ["pending", "unready", { phase: "Pending" }],
  ["pending, deleted", "ignored", { phase: "Pending", deleted: true }, { ago: 0, window: 0 }],
  ["failed", "ignored", { phase: "Failed" }, { ago: 0, window: 0 }],
];

function newly(status: "True" | "False", startedAgo: number, changedAgo: number): PodStatus {
  const lastTransitionTime = time(changedAgo);
  const conditions = [{ type: "Ready", status, lastTransitionTime }];
  return { startTime: time(startedAgo), conditions };
}

for (const [title, group, { deleted, ...status }, value, resource = "cpu"] of groups) {
  test(`a pod of this kind is ${group}: ${title}`, () => {
    const metadata = { name: "p", ...(deleted ? { deletionTimestamp: time(0) } : {}) };
    const pods = [{ metadata, status: { phase: "Running" as const, ...status } }];
    const measured = value && {
      milli: 1,
      atMs: NOW - value.ago * 1000,
      windowMs: value.window * 1000,
    };
    const found = groupPods(pods, {
      values: new Map(measured ? [["p", measured]] : []),
      resource,
      nowMs: NOW,
    });
    const wanted = { ready: 0, unready: 0, missing: 0, ignored: 0, [group]: 1 };
    assert.deepEqual(
      [found.ready, found.unready.length, found.missing.length],
      [wanted.ready, wanted.unready, wanted.missing],
    );
  });
}
