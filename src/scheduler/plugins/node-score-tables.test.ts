import assert from "node:assert/strict";
import { test } from "node:test";
import type { PreferredSchedulingTerm } from "../../api/generated/types/core-v1.ts";
import { imageLocality } from "./image-locality.ts";
import { nodeAffinity } from "./node-affinity.ts";
import { type NodeShape, type PodShape, scoresOf } from "./plugin-table-fixture.ts";
import { taintToleration } from "./taint-toleration.ts";

// Facts of upstream's plugin tests: nodes, pods on them, and the scores that a node's images, labels and taints give.

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

const at = (labels: Record<string, string>, ...pods: PodShape[]): NodeShape => ({ labels, pods });
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
