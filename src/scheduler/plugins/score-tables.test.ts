import assert from "node:assert/strict";
import { test } from "node:test";
import type { Affinity, PreferredSchedulingTerm } from "../../api/generated/types/core-v1.ts";
import { imageLocality } from "./image-locality.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { nodeAffinity } from "./node-affinity.ts";
import { nodeResourcesBalancedAllocation } from "./node-resources-balanced-allocation.ts";
import { nodeResourcesFit } from "./node-resources-fit.ts";
import { type NodeShape, type PodShape, scoresOf } from "./plugin-table-fixture.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";
import { taintToleration } from "./taint-toleration.ts";

// Facts of upstream's plugin tests: nodes, pods on them, and the scores that its plugins give.

const HOST = "kubernetes.io/hostname";

const foo = { foo: "" };
const bar = { bar: "" };
const times = (count: number, pod: PodShape): PodShape[] =>
  Array.from({ length: count }, () => pod);
const softly = (...constraints: [maxSkew: number, key: string, label: string][]): PodShape => ({
  labels: { ...foo, ...bar },
  spec: {
    topologySpreadConstraints: constraints.map(([maxSkew, topologyKey, key]) => ({
      maxSkew,
      topologyKey,
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchExpressions: [{ key, operator: "Exists" }] },
    })),
  },
});
/** Nodes a, b, c... with so many pods labelled foo; a tilde stands for a failed node. */
const onHosts = (...counts: string[]): Record<string, NodeShape> =>
  Object.fromEntries(
    counts.map((count, at) => {
      const name = "abcd"[at] ?? "";
      const pods = times(Number(count.replace("~", "")), { labels: foo });
      return [name, { labels: { [HOST]: name }, pods, failed: count.startsWith("~") }];
    }),
  );
/** The same, with a and b in one zone and c and d in another. */
const inZones = (pods: Record<string, PodShape[]>, failed = ""): Record<string, NodeShape> =>
  Object.fromEntries(
    ["a", "b", "c", "d"].map((name) => [
      name,
      {
        labels: { [HOST]: name, zone: name < "c" ? "1" : "2" },
        pods: pods[name] ?? [],
        failed: failed.includes(name),
      },
    ]),
  );
const f = { labels: foo };
const fb = { labels: { ...foo, ...bar } };
const b = { labels: bar };

const SPREAD: [string, PodShape, Record<string, NodeShape>, number[]][] = [
  ["nothing is there", softly([1, HOST, "foo"]), onHosts("0", "0"), [100, 100]],
  ["one candidate", softly([1, HOST, "foo"]), onHosts("2", "~1"), [100]],
  ["all have the same", softly([1, HOST, "foo"]), onHosts("1", "1"), [100, 100]],
  ["2/1/0/3", softly([1, HOST, "foo"]), onHosts("2", "1", "0", "3"), [20, 60, 100, 0]],
  ["2/1/0/3, skew 2", softly([2, HOST, "foo"]), onHosts("2", "1", "0", "3"), [33, 66, 100, 16]],
  ["4/3/2/1, skew 3", softly([3, HOST, "foo"]), onHosts("4", "3", "2", "1"), [44, 66, 77, 100]],
  ["4/2/1/~3", softly([1, HOST, "foo"]), onHosts("4", "2", "1", "~3"), [33, 83, 100]],
  [
    "a node without the key gets nothing",
    softly([1, HOST, "foo"]),
    {
      ...onHosts("4", "0", "1", "~3"),
      b: { labels: { n: "b" }, pods: times(2, f) },
    },
    [16, 0, 100],
  ],
  [
    "zones 6/~4",
    softly([1, "zone", "foo"]),
    inZones({ a: times(4, f), b: times(2, f), c: [f], d: times(3, f) }, "d"),
    [75, 75, 100],
  ],
  [
    "zone and host, two candidates",
    softly([1, "zone", "foo"], [1, HOST, "foo"]),
    inZones({ a: times(2, f), b: [f], c: times(2, f), d: times(4, f) }, "bd"),
    [100, 63],
  ],
  [
    "zone and host by different labels",
    softly([1, "zone", "foo"], [1, HOST, "bar"]),
    inZones({ a: [f], b: [fb], d: [f, b] }),
    [60, 20, 100, 60],
  ],
  [
    "zone and host, some without pods",
    softly([1, "zone", "foo"], [1, HOST, "bar"]),
    inZones({ b: [b], c: [f], d: [fb] }),
    [100, 60, 40, 0],
  ],
  [
    "zone and host by different labels, three candidates",
    softly([1, "zone", "foo"], [1, HOST, "bar"]),
    inZones({ a: [f], b: [fb], d: [f, b] }, "d"),
    [50, 25, 100],
  ],
  [
    "other namespaces do not count",
    softly([1, HOST, "foo"]),
    {
      a: { labels: { [HOST]: "a" }, pods: [f, { ...f, namespace: "other" }] },
      b: { labels: { [HOST]: "b" }, pods: times(2, f) },
    },
    [100, 33],
  ],
  [
    "terminating pods do not count",
    softly([1, HOST, "foo"]),
    {
      a: { labels: { [HOST]: "a" }, pods: [{ ...f, terminating: true }] },
      b: { labels: { [HOST]: "b" }, pods: [f] },
    },
    [100, 0],
  ],
];
for (const [name, pod, nodes, expected] of SPREAD) {
  test(`scores of PodTopologySpread: ${name}`, () => {
    assert.deepEqual(scoresOf(podTopologySpread(), { pod, nodes }), expected);
  });
}

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

const MB = 1024 * 1024;
const having = (...megabytes: number[]): NodeShape => ({
  images: megabytes.map((one) => ({ names: [`gcr.io/${one}:latest`], sizeBytes: one * MB })),
});
const running = (...images: number[]): PodShape => ({
  spec: { containers: images.map((one) => ({ name: `c${one}`, image: `gcr.io/${one}` })) },
});
const IMAGES: [string, PodShape, NodeShape[], number[]][] = [
  ["the larger one", running(40, 250), [having(40, 300, 2000), having(250, 10)], [0, 5]],
  ["both on one node", running(40, 300), [having(40, 300, 2000), having(250, 10)], [7, 0]],
  ["no more than all", running(10, 4000), [having(4000, 30), having(250, 10)], [100, 0]],
  ["a node without any", running(10, 4000), [having(4000, 30), having(250, 10), {}], [66, 0, 0]],
  ["small ones", running(30, 40), [having(20, 30, 40), having(4000, 30)], [1, 0]],
  [
    "many large ones",
    running(300, 600, 900),
    [having(600, 40, 900), having(300, 600, 900), {}],
    [32, 36, 0],
  ],
];
for (const [name, pod, [a = {}, second = {}, third], expected] of IMAGES) {
  test(`scores of ImageLocality: ${name}`, () => {
    const nodes = { a, b: second, ...(third ? { c: third } : {}) };
    assert.deepEqual(scoresOf(imageLocality, { pod, nodes }), expected);
  });
}

test("scores of ImageLocality: those that only start a pod count, too", () => {
  const { containers = [] } = running(40, 300).spec ?? {};
  const pod: PodShape = { spec: { initContainers: containers, containers: [] } };
  const nodes = { a: having(40, 300, 2000), b: having(250, 10) };
  assert.deepEqual(scoresOf(imageLocality, { pod, nodes }), [7, 0]);
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

const term = (value: string, topologyKey: string) => ({
  labelSelector: {
    matchExpressions: [{ key: "security", operator: "In" as const, values: [value] }],
  },
  topologyKey,
});
const preferred = "preferredDuringSchedulingIgnoredDuringExecution" as const;
const stayWith = (value: string, weight = 5): Affinity => ({
  podAffinity: { [preferred]: [{ weight, podAffinityTerm: term(value, "region") }] },
});
const awayFrom = (value: string): Affinity => ({
  podAntiAffinity: { [preferred]: [{ weight: 5, podAffinityTerm: term(value, "az") }] },
});
const stayAndAway: Affinity = { ...stayWith("S1", 8), ...awayFrom("S2") };
const S = (value: string, affinity?: Affinity): PodShape => ({
  labels: { security: value },
  ...(affinity ? { spec: { affinity } } : {}),
});
const wishing = (affinity: Affinity): PodShape => ({ spec: { affinity } });
const at = (labels: Record<string, string>, ...pods: PodShape[]): NodeShape => ({ labels, pods });
const china = { region: "China" };
const india = { region: "India" };
const az1 = { az: "az1" };
const az2 = { az: "az2" };

const AFFINITY: [string, PodShape, Record<string, NodeShape>, number[]][] = [
  ["no wishes", S("S1"), { a: at(china), b: at(india), c: at(az1) }, [0, 0, 0]],
  [
    "key and pods must match",
    S("S1", stayWith("S1")),
    { a: at(china, S("S1")), b: at(india, S("S2")), c: at(az1, S("S1")) },
    [100, 0, 0],
  ],
  [
    "a whole region is alike",
    wishing(stayWith("S1")),
    { a: at(china, S("S1")), b: at({ ...china, ...az1 }), c: at(india) },
    [100, 100, 0],
  ],
  [
    "the region with more partners",
    S("S1", stayWith("S2", 6)),
    {
      a: at(china, S("S2"), S("S2")),
      b: at(india, S("S2")),
      c: at(china, S("S2")),
      d: at(china, S("S2")),
      e: at(india, S("S2")),
      f: at(az1),
    },
    [100, 50, 100, 100, 50, 0],
  ],
  [
    "wishes of those who are there",
    S("S2"),
    {
      a: at(china, S("S1", stayWith("S1"))),
      b: at(india, S("S2", stayWith("S2"))),
      c: at(az1),
    },
    [0, 100, 0],
  ],
  [
    "away from the same",
    S("S1", awayFrom("S1")),
    { a: at(az1, S("S1")), b: at(china, S("S1")) },
    [0, 100],
  ],
  [
    "others want it away",
    S("S2"),
    { a: at(az1, S("S1", awayFrom("S2"))), b: at(az2, S("S2", awayFrom("S1"))) },
    [0, 100],
  ],
  [
    "everything together",
    S("S1", stayAndAway),
    {
      a: at(china, S("S1")),
      b: at(az1, S("S2")),
      c: at(india, wishing(stayAndAway)),
      d: at(az2, wishing(awayFrom("S1"))),
    },
    [100, 0, 100, 0],
  ],
];
for (const [name, pod, nodes, expected] of AFFINITY) {
  test(`scores of InterPodAffinity: ${name}`, () => {
    assert.deepEqual(scoresOf(interPodAffinity(), { pod, nodes }), expected);
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

const likes = (weight: number, labels: Record<string, string>): PreferredSchedulingTerm => ({
  weight,
  preference: {
    matchExpressions: Object.entries(labels).map(([key, value]) => ({
      key,
      operator: "In",
      values: [value],
    })),
  },
});
const liking = (...terms: PreferredSchedulingTerm[]): PodShape => ({
  spec: {
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: terms } },
  },
});
const fooBar = { foo: "bar" };
const keyValue = { key: "value" };
const az = { az: "az1" };
const all = { ...fooBar, ...keyValue, ...az };
const LIKED: [string, PodShape, NodeShape[], number[], PreferredSchedulingTerm?][] = [
  ["no wishes", {}, [at(fooBar), at(keyValue), at(az)], [0, 0, 0]],
  [
    "nothing matches",
    liking(likes(2, fooBar)),
    [at({ abc: "az11", def: "az22" }), at(keyValue), at(az)],
    [0, 0, 0],
  ],
  ["one matches", liking(likes(2, fooBar)), [at(fooBar), at(keyValue), at(az)], [100, 0, 0]],
  [
    "weights add up",
    liking(likes(2, fooBar), likes(4, keyValue), likes(5, all)),
    [at(fooBar), at(all), at(keyValue)],
    [18, 100, 36],
  ],
  ["the profile's wish", {}, [at(fooBar), at(keyValue)], [100, 0], likes(2, fooBar)],
  [
    "the profile's wish beside the pod's",
    liking(likes(2, fooBar)),
    [at(fooBar), at(keyValue), at(all)],
    [40, 60, 100],
    likes(3, keyValue),
  ],
];
for (const [name, pod, list, expected, added] of LIKED) {
  test(`scores of NodeAffinity: ${name}`, () => {
    const nodes = Object.fromEntries(list.map((node, index) => [`n${index}`, node]));
    const plugin = nodeAffinity(
      added ? { addedAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [added] } } : {},
    );
    assert.deepEqual(scoresOf(plugin, { pod, nodes }), expected);
  });
}

const prefers = "PreferNoSchedule" as const;
const hard = "NoSchedule" as const;
const taint = (key: string, value: string, effect: typeof prefers | typeof hard = prefers) => ({
  key,
  value,
  effect,
});
const tolerating = (...taints: ReturnType<typeof taint>[]): PodShape => ({
  spec: { tolerations: taints.map((one) => ({ ...one, operator: "Equal" as const })) },
});
const arm = taint("cpu-type", "arm64");
const ssd = taint("disk-type", "ssd");
const TAINTED: [string, PodShape, NodeShape[], number[]][] = [
  [
    "values must match",
    tolerating(taint("foo", "bar")),
    [{ taints: [taint("foo", "bar")] }, { taints: [taint("foo", "blah")] }],
    [100, 0],
  ],
  [
    "what is tolerated costs nothing",
    tolerating(arm, ssd),
    [{}, { taints: [arm] }, { taints: [arm, ssd] }],
    // Upstream gives all of them a hundred; what is the same for all is left out here.
    [0, 0, 0],
  ],
  [
    "what is not tolerated is counted",
    tolerating(taint("foo", "bar")),
    [{}, { taints: [arm] }, { taints: [arm, ssd] }],
    [100, 50, 0],
  ],
  [
    "only preferences count, on both sides",
    tolerating({ ...arm, effect: hard }, { ...ssd, effect: hard }),
    [{}, { taints: [{ ...arm, effect: hard }] }, { taints: [arm, ssd] }],
    [100, 100, 0],
  ],
  ["nothing is tolerated", {}, [{}, { taints: [arm] }], [100, 0]],
];
for (const [name, pod, list, expected] of TAINTED) {
  test(`scores of TaintToleration: ${name}`, () => {
    const nodes = Object.fromEntries(list.map((node, index) => [`n${index}`, node]));
    assert.deepEqual(scoresOf(taintToleration, { pod, nodes }), expected);
  });
}
