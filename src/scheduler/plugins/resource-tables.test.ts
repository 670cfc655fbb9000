import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeResourcesFit } from "./node-resources-fit.ts";
import { type NodeShape, type PodShape, scoresOf } from "./plugin-table-fixture.ts";
import { capacityRatioScore } from "./resource-strategies.ts";

// Facts of upstream's tests of the other strategies of NodeResourcesFit, Kubernetes 1.20 and 1.32,
// Apache-2.0: MostAllocated, RequestedToCapacityRatio with its shapes, bin packing.

const asking = (...requests: Record<string, string>[]): PodShape => ({
  spec: {
    containers: requests.map((one, at) => ({ name: `c${at}`, resources: { requests: one } })),
  },
});
const cpuOnly = asking({ cpu: "1", memory: "0" }, { cpu: "2", memory: "0" });
const both = asking({ cpu: "1", memory: "2000" }, { cpu: "2", memory: "3000" });
const large = asking({ cpu: "2", memory: "4000" }, { cpu: "3", memory: "5000" });
const size = (cpu: string, memory: string, pods: PodShape[] = []): NodeShape => ({
  cpu,
  memory,
  pods,
});
const evenly = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];
const mostly = [
  { name: "memory", weight: 2 },
  { name: "cpu", weight: 1 },
];

const MOST: [string, PodShape, Record<string, NodeShape>, number[], typeof evenly?][] = [
  ["nothing is there", {}, { a: size("4", "10000"), b: size("4", "10000") }, [0, 0]],
  ["sizes differ", both, { a: size("4", "10000"), b: size("6", "10000") }, [62, 50]],
  [
    "pods are there",
    {},
    { a: size("10", "20000", [cpuOnly, cpuOnly]), b: size("10", "20000", [cpuOnly, both]) },
    [30, 42],
  ],
  [
    "pods are there and more is requested",
    both,
    { a: size("10", "20000", [cpuOnly]), b: size("10", "20000", [both]) },
    [42, 55],
  ],
  // Since 1.21 what is too much counts as all there is: 100 and 90, 50 and 100.
  ["more than there is", large, { a: size("4", "10000"), b: size("10", "8000") }, [95, 75]],
  ["memory counts twice", both, { a: size("4", "10000"), b: size("6", "10000") }, [58, 50], mostly],
];
for (const [name, pod, nodes, expected, resources = evenly] of MOST) {
  test(`scores of MostAllocated: ${name}`, () => {
    const plugin = nodeResourcesFit({ scoringStrategy: { type: "MostAllocated", resources } });
    assert.deepEqual(scoresOf(plugin, { pod, nodes }), expected);
  });
}

type Shape = { utilization: number; score: number }[];
const ratio = (shape: Shape, resources: { name: string; weight: number }[]) =>
  nodeResourcesFit({
    scoringStrategy: {
      type: "RequestedToCapacityRatio",
      resources,
      requestedToCapacityRatio: { shape },
    },
  });
const emptyFirst: Shape = [
  { utilization: 0, score: 10 },
  { utilization: 100, score: 0 },
];
const whole = asking({ cpu: "3", memory: "5000" });
const RATIO: [string, PodShape, Record<string, NodeShape>, number[]][] = [
  ["nothing is there", {}, { a: size("4", "10000"), b: size("4", "10000") }, [100, 100]],
  ["sizes differ", whole, { a: size("4", "10000"), b: size("6", "10000") }, [38, 50]],
  [
    "pods are there",
    {},
    { a: size("4", "10000", [whole]), b: size("6", "10000", [whole]) },
    [38, 50],
  ],
];
for (const [name, pod, nodes, expected] of RATIO) {
  test(`scores of RequestedToCapacityRatio, the emptier the better: ${name}`, () => {
    assert.deepEqual(scoresOf(ratio(emptyFirst, evenly), { pod, nodes }), expected);
  });
}

const wide = (more: Record<string, string> = {}) =>
  asking({ cpu: "3000", memory: "5000", ...more });

// A resource that not every node has counts for pods that ask for it.
const SOME = "abc.com/xyz";
const alsoSome = [...evenly, { name: SOME, weight: 1 }];
const some = (amount?: string): NodeShape => ({
  ...size("6000", "10000"),
  ...(amount ? { more: { [SOME]: amount } } : {}),
});
const EXTENDED: [string, "LeastAllocated" | "MostAllocated", PodShape, NodeShape[], number[]][] = [
  ["not asked for", "LeastAllocated", wide(), [some(), some("4")], [50, 50]],
  ["not asked for", "MostAllocated", wide(), [some(), some("4")], [50, 50]],
  ["asked for", "LeastAllocated", wide({ [SOME]: "2" }), [some("4"), some("10")], [50, 60]],
  ["asked for", "MostAllocated", wide({ [SOME]: "2" }), [some("4"), some("10")], [50, 40]],
];
for (const [name, type, pod, [a = {}, b = {}], expected] of EXTENDED) {
  test(`scores of ${type}, a resource of some nodes: ${name}`, () => {
    const plugin = nodeResourcesFit({ scoringStrategy: { type, resources: alsoSome } });
    assert.deepEqual(scoresOf(plugin, { pod, nodes: { a, b } }), expected);
  });
}

test("scores of MostAllocated: pods without requests count as small ones", () => {
  const one: PodShape = { spec: { containers: [{ name: "c" }] } };
  const plugin = nodeResourcesFit({
    scoringStrategy: { type: "MostAllocated", resources: evenly },
  });
  const nodes = { a: size("250m", "1000Mi", [one, one]), b: size("250m", "1000Mi") };
  assert.deepEqual(scoresOf(plugin, { pod: one, nodes }), [80, 30]);
});

// How a pod beside others is scored: one that asks for most of a node, and one for a part.
const narrow = asking({ cpu: "1000", memory: "2000" });
const filled: Record<string, NodeShape> = {
  a: size("4000", "10000", [asking({ cpu: "2000", memory: "4000" })]),
  b: size("6000", "10000", [asking({ cpu: "1000", memory: "2000" })]),
};
const tenFull: Shape = [
  { utilization: 0, score: 0 },
  { utilization: 100, score: 10 },
];
const strategy = (type: "MostAllocated" | "LeastAllocated") =>
  nodeResourcesFit({ scoringStrategy: { type, resources: evenly } });
const BESIDE: [string, ReturnType<typeof nodeResourcesFit>, PodShape, number[]][] = [
  ["the emptier the better", ratio(emptyFirst, evenly), wide(), [10, 32]],
  ["the fuller the better", ratio(tenFull, evenly), wide(), [95, 68]],
  ["MostAllocated", strategy("MostAllocated"), narrow, [67, 36]],
  ["LeastAllocated", strategy("LeastAllocated"), narrow, [32, 63]],
];
for (const [name, plugin, pod, expected] of BESIDE) {
  test(`scores of NodeResourcesFit beside other pods: ${name}`, () => {
    assert.deepEqual(scoresOf(plugin, { pod, nodes: filled }), expected);
  });
}

const fullFirst: Shape = [
  { utilization: 0, score: 0 },
  { utilization: 100, score: 1 },
];
const FOO = "intel.com/foo";
const BAR = "intel.com/bar";
const having = (foo: number, bar?: number, pods: PodShape[] = []): NodeShape => ({
  ...size("4", "10000Mi", pods),
  more: { [FOO]: `${foo}`, ...(bar === undefined ? {} : { [BAR]: `${bar}` }) },
});
const two = asking({ [FOO]: "2" });
const SINGLE: [string, PodShape, Record<string, NodeShape>, number[]][] = [
  ["nothing is asked for", {}, { a: having(8), b: having(4) }, [0, 0]],
  ["the smaller node", two, { a: having(8), b: having(4) }, [2, 5]],
  ["the fuller node", two, { a: having(8), b: having(4, undefined, [two]) }, [2, 10]],
  ["all of the smaller", asking({ [FOO]: "4" }), { a: having(8), b: having(4) }, [5, 10]],
];
for (const [name, pod, nodes, expected] of SINGLE) {
  test(`scores of RequestedToCapacityRatio, packing one resource: ${name}`, () => {
    const plugin = ratio(fullFirst, [{ name: FOO, weight: 1 }]);
    assert.deepEqual(scoresOf(plugin, { pod, nodes }), expected);
  });
}

const pair = asking({ [FOO]: "2", [BAR]: "2" });
const SEVERAL: [string, PodShape, Record<string, NodeShape>, number[]][] = [
  ["nothing is asked for", {}, { a: having(8, 4), b: having(4, 8) }, [0, 0]],
  ["the heavier one decides", pair, { a: having(8, 4), b: having(4, 8) }, [4, 3]],
  ["the fuller node", pair, { a: having(8, 4), b: having(4, 8, [pair]) }, [4, 7]],
  ["alike", asking({ [FOO]: "4", [BAR]: "2" }), { a: having(8, 4), b: having(4, 8) }, [5, 5]],
];
for (const [name, pod, nodes, expected] of SEVERAL) {
  test(`scores of RequestedToCapacityRatio, packing two resources: ${name}`, () => {
    const plugin = ratio(fullFirst, [
      { name: FOO, weight: 3 },
      { name: BAR, weight: 5 },
    ]);
    assert.deepEqual(scoresOf(plugin, { pod, nodes }), expected);
  });
}

/** Points of a shape, and what it makes of so many percent; both up to 10. */
const SHAPES: [[utilization: number, score: number][], [percent: number, score: number][]][] = [
  [
    [
      [10, 1],
      [90, 9],
    ],
    [
      [0, 1],
      [9, 1],
      [10, 1],
      [20, 2],
      [90, 9],
      [99, 9],
      [100, 9],
    ],
  ],
  [
    [
      [0, 2],
      [40, 10],
      [100, 0],
    ],
    [
      [0, 2],
      [20, 6],
      [30, 8],
      [40, 10],
      [70, 5],
      [100, 0],
    ],
  ],
  [
    [
      [0, 2],
      [40, 2],
      [100, 2],
    ],
    [
      [0, 2],
      [20, 2],
      [70, 2],
      [100, 2],
    ],
  ],
];
for (const [points, values] of SHAPES) {
  test(`a line through ${JSON.stringify(points)}`, () => {
    const score = capacityRatioScore(
      points.map(([utilization, value]) => ({ utilization, score: value })),
    );
    for (const [percent, expected] of values) {
      const part = { allocatable: 100, requested: percent, weight: 1 };
      assert.equal(score([part], 1), expected * 10, `${percent} %`);
    }
  });
}
