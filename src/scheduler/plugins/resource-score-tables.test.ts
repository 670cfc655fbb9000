import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeResourcesBalancedAllocation } from "./node-resources-balanced-allocation.ts";
import { nodeResourcesFit } from "./node-resources-fit.ts";
import { type NodeShape, type PodShape, scoresOf } from "./plugin-table-fixture.ts";

// Facts of upstream's plugin tests: nodes, pods on them, and the scores that requested resources give.

const requesting = (...requests: [cpu: string, memory: string][]): PodShape => ({
  spec: {
    containers: requests.map(([cpu, memory], at) => ({
      name: `c${at}`,
      resources: { requests: { cpu, memory } },
    })),
  },
});
const cpuOnly = requesting(["1", "0"], ["2", "0"]);
const both = requesting(["1", "2000"], ["2", "3000"]);
const size = (cpu: string, memory: string, pods: PodShape[] = []): NodeShape => ({
  cpu,
  memory,
  pods,
});
const LEAST: [string, PodShape, Record<string, NodeShape>, number[]][] = [
  ["nothing requested", {}, { a: {}, b: {} }, [100, 100]],
  ["different sizes", both, { a: size("4", "10000"), b: size("6", "10000") }, [37, 50]],
  [
    "pods are there",
    {},
    { a: size("10", "20000", [cpuOnly, cpuOnly]), b: size("10", "20000", [cpuOnly, both]) },
    [70, 57],
  ],
  [
    "pods are there and more is requested",
    both,
    { a: size("10", "20000", [cpuOnly]), b: size("10", "20000", [both]) },
    [57, 45],
  ],
  [
    "the larger node wins",
    both,
    { a: size("10", "20000", [cpuOnly]), b: size("10", "50000", [both]) },
    [57, 60],
  ],
  [
    "more than there is",
    cpuOnly,
    { a: size("4", "10000", [cpuOnly]), b: size("4", "10000", [both]) },
    [50, 25],
  ],
  ["nodes of nothing", {}, { a: size("0", "0", [cpuOnly]), b: size("0", "0", [both]) }, [0, 0]],
];
for (const [name, pod, nodes, expected] of LEAST) {
  test(`scores of LeastAllocated: ${name}`, () => {
    assert.deepEqual(scoresOf(nodeResourcesFit(), { pod, nodes }), expected);
  });
}

test("scores of LeastAllocated: memory counts twice", () => {
  const resources = [
    { name: "memory", weight: 2 },
    { name: "cpu", weight: 1 },
  ];
  const plugin = nodeResourcesFit({ scoringStrategy: { type: "LeastAllocated", resources } });
  const nodes = { a: size("4", "10000"), b: size("6", "10000") };
  assert.deepEqual(scoresOf(plugin, { pod: both, nodes }), [41, 50]);
});

test("scores of MostAllocated and RequestedToCapacityRatio turn the order round", () => {
  const resources = [
    { name: "cpu", weight: 1 },
    { name: "memory", weight: 1 },
  ];
  const nodes = { a: size("4", "10000"), b: size("6", "10000") };
  const most = nodeResourcesFit({ scoringStrategy: { type: "MostAllocated", resources } });
  assert.deepEqual(scoresOf(most, { pod: both, nodes }), [62, 50]);
  const shape = [
    { utilization: 0, score: 0 },
    { utilization: 100, score: 10 },
  ];
  const ratio = nodeResourcesFit({
    scoringStrategy: {
      type: "RequestedToCapacityRatio",
      resources,
      requestedToCapacityRatio: { shape },
    },
  });
  assert.deepEqual(scoresOf(ratio, { pod: both, nodes }), [63, 50]);
});

// A pod without requests counts as one with small ones, beside others and as one that comes.
const unrequesting: PodShape = { spec: { containers: [{ name: "c" }] } };
const thrice = requesting(["300m", "600Mi"]);
const small = requesting(["100m", "200Mi"]);
const ZERO: [string, PodShape, number][] = [
  ["nothing", unrequesting, 50],
  ["what nothing counts as", small, 50],
  ["three times as much", thrice, 30],
];
for (const [name, pod, expected] of ZERO) {
  test(`scores of LeastAllocated for a pod that requests: ${name}`, () => {
    const nodes = {
      a: size("1", "2000Mi", [thrice, unrequesting]),
      b: size("1", "2000Mi", [thrice, small]),
    };
    assert.deepEqual(scoresOf(nodeResourcesFit(), { pod, nodes }), [expected, expected]);
  });
}

const gpu = (amount: string, ...shape: [cpu: string, memory: string][]): PodShape => {
  const { spec } = requesting(...shape);
  const extra = { name: "g", resources: { requests: { "nvidia.com/gpu": amount } } };
  return { spec: { containers: [...(spec?.containers ?? []), extra] } };
};
const withGpus = (pods: PodShape[] = [], gpus?: string): NodeShape => ({
  ...size("3500m", "40000", pods),
  ...(gpus ? { more: { "nvidia.com/gpu": gpus } } : {}),
});
const three = ["cpu", "memory", "nvidia.com/gpu"].map((name) => ({ name, weight: 1 }));
const BALANCED: [string, PodShape, Record<string, NodeShape>, number[], typeof three?][] = [
  ["nothing is asked for", {}, { a: size("4", "10000"), b: size("4", "10000") }, [100, 100]],
  [
    "nothing is asked for, and pods without requests are there",
    requesting(["0", "0"]),
    {
      a: size("250m", "1000Mi", [requesting(["0", "0"])]),
      b: size("250m", "1000Mi", [requesting(["0", "0"])]),
    },
    [100, 100],
  ],
  [
    "nothing is asked for, and pods are there",
    {},
    { a: size("10", "20000", [cpuOnly, cpuOnly]), b: size("10", "20000", [cpuOnly, both]) },
    [70, 82],
  ],
  ["nodes of nothing", {}, { a: size("0", "0", [cpuOnly]), b: size("0", "0", [both]) }, [100, 100]],
  [
    "a third resource that is not asked for",
    { spec: { containers: [{ name: "c" }] } },
    { a: withGpus([], "8"), b: withGpus() },
    [100, 100],
    three,
  ],
  ["sizes differ", both, { a: size("4", "10000"), b: size("6", "10000") }, [87, 100]],
  [
    "pods are there",
    both,
    { a: size("10", "20000", [cpuOnly]), b: size("10", "20000", [both]) },
    [82, 95],
  ],
  [
    "pods are there and sizes differ",
    both,
    { a: size("10", "20000", [cpuOnly]), b: size("10", "50000", [both]) },
    [82, 80],
  ],
  [
    "nothing of the CPU is left",
    cpuOnly,
    { a: size("6", "10000", [cpuOnly]), b: size("6", "10000", [both]) },
    [50, 75],
  ],
  [
    "a third resource counts",
    gpu("1"),
    { a: withGpus([gpu("3", ["3", "5000"])], "8"), b: withGpus([both], "8") },
    [70, 65],
    three,
  ],
  [
    "a resource that the pod does not ask for counts nowhere",
    both,
    { a: withGpus([], "8"), b: withGpus() },
    [63, 63],
    three,
  ],
];
for (const [name, pod, nodes, expected, resources] of BALANCED) {
  test(`scores of BalancedAllocation: ${name}`, () => {
    const plugin = nodeResourcesBalancedAllocation(resources ? { resources } : {});
    assert.deepEqual(scoresOf(plugin, { pod, nodes }), expected);
  });
}
