import assert from "node:assert/strict";
import { test } from "node:test";
import type { LabelSelectorRequirement } from "../../api/generated/types/meta-v1.ts";
import type { PodAffinityTerm } from "../../api/generated/types/core-v1.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { type NodeShape, type PodShape, reasonsOf, verdictsOf } from "./plugin-table-fixture.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";

// Facts of upstream's plugin tests: nodes, pods on them, and where one more pod may go.
// Verdicts, a sign for each node: + it may, - pods that leave may help, ! nothing will.

const where = (
  key: string,
  operator: LabelSelectorRequirement["operator"],
  ...values: string[]
): LabelSelectorRequirement => ({ key, operator, ...(values.length > 0 ? { values } : {}) });

const f: PodShape = { labels: { foo: "" } };
const b: PodShape = { labels: { bar: "" } };
const fb: PodShape = { labels: { foo: "", bar: "" } };
const times = (count: number, pod: PodShape): PodShape[] =>
  Array.from({ length: count }, () => pod);

/** Three nodes with two, two and one of the pods. */
const unequal = (): Record<string, NodeShape> => ({
  a: { labels: { node: "a" }, pods: times(2, f) },
  b: { labels: { node: "b" }, pods: times(2, f) },
  c: { labels: { node: "c" }, pods: times(1, f) },
});

/** The pod, spread hard: so much skew of so labelled pods over such domains. */
const spread = (
  { labels = {} }: PodShape,
  ...constraints: [maxSkew: number, topologyKey: string, label: string, minDomains?: number][]
): PodShape => ({
  labels,
  spec: {
    topologySpreadConstraints: constraints.map(([maxSkew, topologyKey, label, minDomains]) => ({
      maxSkew,
      topologyKey,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchExpressions: [where(label, "Exists")] },
      ...(minDomains ? { minDomains } : {}),
    })),
  },
});

/** Nodes a and b in one zone, x and y in another. */
function square(pods: Partial<Record<"a" | "b" | "x" | "y", PodShape[]>>) {
  const node = (name: "a" | "b" | "x" | "y"): NodeShape => ({
    labels: { zone: name < "c" ? "1" : "2", node: name },
    pods: pods[name] ?? [],
  });
  return { a: node("a"), b: node("b"), x: node("x"), y: node("y") };
}

const uneven = square({ a: times(2, f), b: [f], y: times(3, f) });
const bound = (pod: PodShape, operator: "In" | "NotIn", values: string[]): PodShape => ({
  ...pod,
  spec: {
    ...pod.spec,
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "node", operator, values }] }],
        },
      },
    },
  },
});
const onlyOn = (pod: PodShape, ...values: string[]) => bound(pod, "In", values);
const notOn = (pod: PodShape, ...values: string[]) => bound(pod, "NotIn", values);
const without = (nodes: Record<string, NodeShape>, name: string, label: string) => {
  const labels = { ...nodes[name]?.labels };
  delete labels[label];
  return { ...nodes, [name]: { ...nodes[name], labels } };
};

const SPREAD: [string, PodShape, Record<string, NodeShape>, string][] = [
  ["nothing is there", spread(f, [1, "zone", "foo"]), square({}), "++++"],
  ["the pod itself does not count", spread(f, [1, "zone", "bar"]), square({}), "++++"],
  [
    "other namespaces do not count",
    spread(f, [1, "zone", "foo"]),
    square({
      a: [
        { ...f, namespace: "ns1" },
        { ...f, namespace: "ns2" },
      ],
      x: [f],
      y: [f],
    }),
    "++--",
  ],
  [
    "zones 3/3",
    spread(f, [1, "zone", "foo"]),
    square({ a: times(2, f), b: [f], y: times(3, f) }),
    "++++",
  ],
  [
    "zones 1/2, as one node names none",
    spread(f, [1, "zone", "foo"]),
    without(square({ a: [f], b: [f], x: [f], y: [f] }), "b", "zone"),
    "+!--",
  ],
  ["no node has the key", spread(f, [1, "rack", "foo"]), square({}), "!!!!"],
  ["nodes 2/1/0/3", spread(f, [1, "node", "foo"]), uneven, "--+-"],
  ["nodes 2/1/0/3, skew 2", spread(f, [2, "node", "foo"]), uneven, "-++-"],
  ["nodes 2/1/0/3, without counting itself", spread(b, [1, "node", "foo"]), uneven, "-++-"],
  [
    "nodes 2/~/~/3, where the pod may go to two only",
    onlyOn(spread(f, [1, "node", "foo"]), "a", "y"),
    uneven,
    "+++-",
  ],
  [
    "terminating pods do not count",
    spread(f, [1, "node", "foo"]),
    {
      a: { labels: { node: "a" }, pods: [{ ...f, terminating: true }] },
      b: { labels: { node: "b" }, pods: [f] },
    },
    "+-",
  ],
  [
    "fewer domains than there should be count as one that is empty",
    spread(f, [1, "zone", "foo", 3]),
    square({ a: [f], x: [f] }),
    "----",
  ],
  [
    "as many domains as there should be",
    spread(f, [1, "zone", "foo", 2]),
    square({ a: [f], x: [f] }),
    "++++",
  ],
  ["fewer nodes than there should be, skew 2", spread(f, [2, "node", "foo", 4]), unequal(), "--+"],
  ["more nodes than there should be, skew 2", spread(f, [2, "node", "foo", 2]), unequal(), "+++"],
  [
    "fewer zones than there should be, skew 2",
    spread(f, [2, "zone", "foo", 3]),
    square({ a: [f], b: [f], y: [f] }),
    "--++",
  ],
  [
    "more zones than there should be, skew 2",
    spread(f, [2, "zone", "foo", 1]),
    square({ a: [f], b: [f], y: [f] }),
    "++++",
  ],
  [
    "zones 0/1, as the pod may not go to one node",
    notOn(spread(f, [1, "zone", "foo"]), "b"),
    square({ b: times(2, f), y: [f] }),
    "++--",
  ],
  [
    "zones 2/1 of one label and 3/3 of another",
    spread(fb, [1, "zone", "bar"], [1, "zone", "foo"]),
    square({ a: [fb, f], b: [fb], y: [f, fb, f] }),
    "--++",
  ],
  [
    "zones 2/1 of one label and 3/4 of another",
    spread(fb, [1, "zone", "bar"], [1, "zone", "foo"]),
    square({ a: [fb, f], b: [fb], y: [f, fb, f, f] }),
    "----",
  ],
  [
    "zones 3/3 and nodes 2/1/0/3",
    spread(f, [1, "zone", "foo"], [1, "node", "foo"]),
    uneven,
    "--+-",
  ],
  [
    "zones 3/4 and nodes 2/1/0/4",
    spread(f, [1, "zone", "foo"], [1, "node", "foo"]),
    square({ a: times(2, f), b: [f], y: times(4, f) }),
    "----",
  ],
  [
    "zones 1/0 of one label, nodes 0/0/0/1 of another",
    spread(fb, [1, "zone", "foo"], [1, "node", "bar"]),
    square({ a: [f], y: [b] }),
    "--+-",
  ],
  [
    "zones 1/0 of one label, nodes 0/0/1/1 of another",
    spread(fb, [1, "zone", "foo"], [1, "node", "bar"]),
    square({ a: [f], x: [b], y: [b] }),
    "----",
  ],
  [
    "zones 2/3 of one label, nodes 1/0/0/1 of another",
    spread(fb, [1, "zone", "foo"], [1, "node", "bar"]),
    square({ a: [f, fb], y: [f, fb, f] }),
    "-+--",
  ],
  [
    "of two labels the pod has one",
    spread(b, [1, "zone", "foo"], [1, "node", "bar"]),
    square({ a: [f], x: [b], y: [b] }),
    "++--",
  ],
  [
    "zones 1/1 and nodes 1/0/~/1",
    spread(f, [1, "zone", "foo"], [1, "node", "foo"]),
    without(square({ a: [f], y: [f] }), "x", "node"),
    "-+!-",
  ],
];
for (const [name, pod, nodes, expected] of SPREAD) {
  test(`the filter of PodTopologySpread: ${name}`, () => {
    assert.equal(verdictsOf(podTopologySpread(), { pod, nodes }), expected);
  });
}

const scan = { service: "securityscan" };
const s1 = { security: "S1" };
const term = (topologyKey: string, ...matchExpressions: LabelSelectorRequirement[]) => ({
  topologyKey,
  labelSelector: { matchExpressions },
});
const isScan = where("service", "In", "securityscan", "value2");
const isVirus = where("service", "In", "antivirusscan", "value2");
const pod = (
  labels: Record<string, string>,
  { near = [], far = [] }: { near?: PodAffinityTerm[]; far?: PodAffinityTerm[] } = {},
): PodShape => ({
  labels,
  spec: {
    affinity: {
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: near },
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: far },
    },
  },
});
const NEAR = ["node(s) didn't match pod affinity rules"];
const FAR = ["node(s) didn't match pod anti-affinity rules"];
const THEIRS = ["node(s) didn't satisfy existing pods anti-affinity rules"];
const service = where("service", "Exists");
const security = where("security", "Exists");
const has = (key: string) => term("zone", where(key, "Exists"));
const abc = { abc: "", xyz: "" };
const def = { def: "", xyz: "" };
const both = [has("abc"), has("def")];

/** One node with the labels region and zone, and a pod on it. */
const ONE: [string, PodShape, PodShape, readonly string[]][] = [
  ["a partner", pod(s1, { near: [term("region", isScan)] }), pod(scan), []],
  [
    "a partner by what it is not",
    pod(s1, { near: [term("region", where("service", "NotIn", "scan3", "value3"))] }),
    pod(scan),
    [],
  ],
  [
    "a partner in another namespace",
    pod(s1, { near: [{ ...term("region", isScan), namespaces: ["other"] }] }),
    { ...pod(scan), namespace: "ns" },
    NEAR,
  ],
  ["no partner", pod(scan, { near: [term("region", isVirus)] }), pod(scan), NEAR],
  [
    "a partner of two terms",
    pod(s1, {
      near: [
        term("region", service, where("wrong", "DoesNotExist")),
        term("region", where("service", "In", "securityscan"), where("service", "NotIn", "no")),
      ],
    }),
    pod(scan),
    [],
  ],
  [
    "a partner of one term of two",
    pod(s1, {
      near: [
        term("region", service, where("wrong", "DoesNotExist")),
        term("region", where("service", "In", "securityscan2")),
      ],
    }),
    pod(scan),
    NEAR,
  ],
  [
    "a partner and nobody to avoid",
    pod(s1, { near: [term("region", isScan)], far: [term("node", isVirus)] }),
    pod(scan),
    [],
  ],
  [
    "nobody avoids anybody",
    pod(s1, { near: [term("region", isScan)], far: [term("node", isVirus)] }),
    pod(scan, { far: [term("node", isVirus)] }),
    [],
  ],
  [
    "a partner that is to be avoided, too",
    pod(s1, { near: [term("region", isScan)], far: [term("zone", isScan)] }),
    pod(scan),
    FAR,
  ],
  [
    "a partner that avoids the pod",
    pod(scan, { near: [term("region", isScan)], far: [term("node", isVirus)] }),
    pod(scan, { far: [term("zone", isScan)] }),
    THEIRS,
  ],
  [
    "avoided without a word of its own",
    pod(scan),
    pod(scan, { far: [term("zone", isScan)] }),
    THEIRS,
  ],
  [
    "others are avoided",
    pod(scan),
    pod(scan, { far: [term("zone", where("service", "NotIn", "securityscan", "value2"))] }),
    [],
  ],
  [
    "avoids by the second term",
    pod(scan, { far: [term("region", service), term("region", security)] }),
    pod(s1, { far: [term("zone", security)] }),
    FAR,
  ],
  [
    "avoided by the first term",
    pod(s1, { far: [term("zone", security)] }),
    pod(scan, { far: [term("zone", service), term("zone", security)] }),
    THEIRS,
  ],
  ["each avoids the other", pod(abc, { far: both }), pod(def, { far: both }), FAR],
  ["and the other way round", pod(def, { far: both }), pod(abc, { far: both }), FAR],
];
for (const [name, wanted, there, reasons] of ONE) {
  test(`the filter of InterPodAffinity: ${name}`, () => {
    const nodes = { n1: { labels: { region: "r1", zone: "z11" }, pods: [there] } };
    assert.deepEqual(reasonsOf(interPodAffinity(), { pod: wanted, nodes }), reasons);
  });
}

const china = { region: "China" };
const at = (labels: Record<string, string>, ...pods: PodShape[]): NodeShape => ({ labels, pods });
const isBar = where("foo", "In", "bar");
const collection = pod(
  { foo: "bar", ...scan },
  { near: [term("zone", isBar), term("zone", where("service", "In", "securityscan"))] },
);
const MANY: [string, PodShape, Record<string, NodeShape>, string][] = [
  [
    "all nodes of the partner's region",
    pod({}, { near: [term("region", isBar)] }),
    {
      a: at(china, pod({ foo: "bar" })),
      b: at({ ...china, az: "az1" }),
      c: at({ region: "India" }),
    },
    "++!",
  ],
  [
    "the first of a group that wants to be together",
    collection,
    { a: at({ zone: "az1" }, pod({ foo: "bar" })), b: at({ zone: "az2" }) },
    "++",
  ],
  [
    "the first of a group, where no node has the key",
    collection,
    { a: at({ other: "az1" }, pod({ foo: "bar" })), b: at({ other: "az2" }) },
    "!!",
  ],
  [
    "a whole region is avoided",
    pod({}, { far: [term("region", isBar)] }),
    {
      a: at(china, pod({ foo: "bar" })),
      b: at({ ...china, host: "b" }),
      c: at({ region: "India" }),
    },
    "--+",
  ],
  [
    "a region that is avoided and a zone of a partner",
    pod({}, { near: [term("az", isBar)], far: [term("region", where("foo", "In", "abc"))] }),
    {
      a: at({ ...china, az: "1" }, pod({ foo: "abc" })),
      b: at({ region: "India", az: "2" }, pod({ foo: "bar" })),
    },
    "!+",
  ],
  [
    "a node without the key is never avoided",
    pod({}, { far: [term("zone", isBar)] }),
    { a: at({}, pod({ foo: "bar" })), b: at({ zone: "z" }, pod({ foo: "bar" })) },
    "+-",
  ],
  [
    "avoided in a whole region by one who is there",
    pod({ foo: "bar" }),
    {
      a: at(china, pod({}, { far: [term("region", isBar)] })),
      b: at(china),
      c: at({ region: "India" }),
    },
    "--+",
  ],
];
for (const [name, wanted, nodes, expected] of MANY) {
  test(`the filter of InterPodAffinity, several nodes: ${name}`, () => {
    assert.equal(verdictsOf(interPodAffinity(), { pod: wanted, nodes }), expected);
  });
}
