import assert from "node:assert/strict";
import { test } from "node:test";
import type { Toleration, TopologySpreadConstraint } from "../../api/generated/types/core-v1.ts";
import { type NodeShape, type PodShape, scoresOf, verdictsOf } from "./plugin-table-fixture.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";

// Facts of upstream's tests of PodTopologySpread, Kubernetes 1.32, Apache-2.0: which nodes are
// domains (nodeAffinityPolicy, nodeTaintsPolicy, minDomains), and which pods count
// (matchLabelKeys).

const foo = { foo: "" };
const bar = { bar: "" };
const constraint = (
  topologyKey: string,
  label: string,
  more: Partial<TopologySpreadConstraint> = {},
): TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: "DoNotSchedule",
  labelSelector: { matchExpressions: [{ key: label, operator: "Exists" }] },
  ...more,
});
const pod = (
  constraints: TopologySpreadConstraint[],
  spec: PodShape["spec"] = {},
  labels: Record<string, string> = foo,
): PodShape => ({ labels, spec: { ...spec, topologySpreadConstraints: constraints } });
const times = (count: number, labels: Record<string, string>): PodShape[] =>
  Array.from({ length: count }, () => ({ labels }));
const CORDON = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" as const };
const tolerant: Toleration = { key: CORDON.key, operator: "Exists" };
const node = (
  labels: Record<string, string>,
  pods: PodShape[],
  more: NodeShape = {},
): NodeShape => ({ labels, pods, ...more });

/** One, two and no pods; the third node is another kind, and may be tainted. */
const three = (third: NodeShape = {}): Record<string, NodeShape> => ({
  a: node({ node: "a", ...foo }, times(1, bar)),
  b: node({ node: "b", ...foo }, times(2, bar)),
  c: node({ node: "c", ...bar }, [], third),
});
const ofFoo = { nodeSelector: foo };
const likeFoo: PodShape["spec"] = {
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "foo", operator: "In", values: [""] }] }],
      },
    },
  },
};
const zones = (tainted: boolean): Record<string, NodeShape> => ({
  a: node({ zone: "1", node: "a", ...foo }, []),
  b: node({ zone: "1", node: "b" }, times(2, foo), tainted ? { taints: [CORDON] } : {}),
  x: node({ zone: "2", node: "x", ...foo }, times(1, foo)),
});
/** One, one, none and one of the pods; the last node is another kind, or tainted. */
const four = (last: NodeShape): Record<string, NodeShape> => ({
  a: node({ node: "a", ...foo }, times(1, foo)),
  b: node({ node: "b", ...foo }, times(1, foo)),
  x: node({ node: "x", ...foo }, []),
  y: node({ node: "y" }, times(1, foo), last),
});
type Place = [count: number, isFoo: boolean, tainted?: "tainted"];
/** Nodes a and b in one zone, x and y in another, each with so many pods. */
const square = (a: Place, b: Place, ...others: Place[]): Record<string, NodeShape> =>
  Object.fromEntries(
    [a, b, ...others].map(([count, isFoo, tainted], at) => {
      const name = "abxy"[at] ?? "";
      const labels = { zone: at < 2 ? "1" : "2", node: name, ...(isFoo ? foo : {}) };
      return [name, node(labels, times(count, foo), tainted ? { taints: [CORDON] } : {})];
    }),
  );
/** Zones with so labelled pods. */
const zoned = (one: Record<string, string>[], other: Record<string, string>[]) => ({
  a: node(
    { zone: "1" },
    one.flatMap((labels) => times(1, labels)),
  ),
  x: node(
    { zone: "2" },
    other.flatMap((labels) => times(1, labels)),
  ),
});
const inA = { foo: "", bar: "a" };
const ignoring = { nodeAffinityPolicy: "Ignore" as const };
const honouring = { nodeTaintsPolicy: "Honor" as const };

const { labelSelector: _, ...unselective } = constraint("zone", "foo", { matchLabelKeys: ["bar"] });
const FILTERED: [string, PodShape, Record<string, NodeShape>, string][] = [
  ["its selector says what is a domain", pod([constraint("node", "bar")], ofFoo), three(), "+++"],
  ["or does not", pod([constraint("node", "bar", ignoring)], ofFoo), three(), "+-+"],
  ["its affinity says what is a domain", pod([constraint("node", "bar")], likeFoo), three(), "+++"],
  ["or its affinity does not", pod([constraint("node", "bar", ignoring)], likeFoo), three(), "+-+"],
  [
    "a tainted node is a domain",
    pod([constraint("node", "bar")]),
    three({ taints: [CORDON] }),
    "+-+",
  ],
  [
    "unless taints are honoured",
    pod([constraint("node", "bar", honouring)]),
    three({ taints: [CORDON] }),
    "+++",
  ],
  [
    "and not tolerated",
    pod([constraint("node", "bar", honouring)], { tolerations: [tolerant] }),
    three({ taints: [CORDON] }),
    "+-+",
  ],
  [
    "each constraint has its own policy for affinity",
    pod([constraint("zone", "foo"), constraint("node", "foo", ignoring)], ofFoo),
    zones(false),
    "+--",
  ],
  [
    "each constraint has its own policy for taints",
    pod([constraint("zone", "foo", honouring), constraint("node", "foo")]),
    zones(true),
    "+--",
  ],
  [
    "a node that is not selected is none",
    pod([constraint("node", "foo")], ofFoo),
    four({}),
    "--++",
  ],
  [
    "a node that is not selected is one",
    pod([constraint("node", "foo", ignoring)], ofFoo),
    four({}),
    "--+-",
  ],
  ["nor one that affinity leaves out", pod([constraint("node", "foo")], likeFoo), four({}), "--++"],
  [
    "one that affinity leaves out is one",
    pod([constraint("node", "foo", ignoring)], likeFoo),
    four({}),
    "--+-",
  ],
  [
    "nor a tainted one",
    pod([constraint("node", "foo", honouring)]),
    four({ taints: [CORDON] }),
    "--++",
  ],
  ["a tainted one is one", pod([constraint("node", "foo")]), four({ taints: [CORDON] }), "--+-"],
  [
    "zones honour affinity, nodes do not: 2/0 and 1/1/0/1",
    pod([constraint("zone", "foo"), constraint("node", "foo", ignoring)], ofFoo),
    square([1, true], [1, true], [0, true], [1, false]),
    "--+-",
  ],
  [
    "zones honour taints, nodes do not: 2/0 and 1/1/0/1",
    pod([constraint("zone", "foo", honouring), constraint("node", "foo")]),
    square([1, true], [1, true], [0, true], [1, false, "tainted"]),
    "--+-",
  ],
  [
    "both honour affinity: 1/1 and 1/0/0/1",
    pod([constraint("zone", "foo"), constraint("node", "foo")], ofFoo),
    square([1, true], [1, false], [0, true], [1, true, "tainted"]),
    "-++-",
  ],
  [
    "zones honour all, nodes nothing: 1/0 and 1/1/0/1",
    pod([constraint("zone", "foo", honouring), constraint("node", "foo", ignoring)], ofFoo),
    square([1, true], [1, false], [0, true], [1, true, "tainted"]),
    "--+-",
  ],
  [
    "both honour affinity: 0/1 and 0/1",
    pod([constraint("zone", "foo"), constraint("node", "foo")], ofFoo),
    square([2, false], [0, true, "tainted"], [1, true], [1, false]),
    "++--",
  ],
  [
    "zones honour nothing, nodes all: 2/3 and 2/1",
    pod([constraint("zone", "foo", ignoring), constraint("node", "foo", honouring)], ofFoo),
    square([2, false], [0, true, "tainted"], [2, true], [1, true]),
    "++--",
  ],
  [
    "fewer domains than wanted count as one that is empty",
    pod([constraint("node", "foo", { minDomains: 3 })]),
    { a: node({ node: "a" }, times(1, foo)), b: node({ node: "b" }, times(1, foo)) },
    "--",
  ],
  [
    "domains that are not honoured do not make up the number",
    pod([constraint("node", "foo", { minDomains: 3, ...honouring })]),
    {
      a: node({ node: "a" }, times(1, foo)),
      b: node({ node: "b" }, times(1, foo)),
      c: node({ node: "c" }, times(1, foo), { taints: [CORDON] }),
    },
    "--+",
  ],
  [
    "with enough domains the least of them counts",
    pod([constraint("node", "foo", { minDomains: 2 })]),
    { a: node({ node: "a" }, times(1, foo)), b: node({ node: "b" }, times(1, foo)) },
    "++",
  ],
  [
    "pods of another revision do not count",
    pod([constraint("node", "foo", { matchLabelKeys: ["hash"] })], {}, { ...foo, hash: "2" }),
    {
      a: node({ node: "a" }, times(3, { ...foo, hash: "1" })),
      b: node({ node: "b" }, times(1, { ...foo, hash: "2" })),
    },
    "+-",
  ],
  [
    "both selector and keys are asked for",
    pod([constraint("zone", "foo", { matchLabelKeys: ["bar"] })], {}, inA),
    zoned([foo, inA, foo], [inA, { bar: "" }]),
    "++",
  ],
  [
    "keys alone are asked for where the selector is empty",
    pod(
      [constraint("zone", "foo", { labelSelector: {}, matchLabelKeys: ["foo"] })],
      {},
      { foo: "a" },
    ),
    zoned([{ foo: "a" }, { foo: "a" }, { foo: "a" }], [{ foo: "a" }, { foo: "a" }, bar]),
    "-+",
  ],
  [
    "without a selector nobody counts, whatever the keys",
    pod([unselective], {}, inA),
    zoned([inA, inA, inA], [inA]),
    "++",
  ],
  [
    "a key that the pod does not have is left out",
    pod([constraint("node", "foo", { matchLabelKeys: ["hash"] })]),
    {
      a: node({ node: "a" }, times(3, { ...foo, hash: "1" })),
      b: node({ node: "b" }, times(1, { ...foo, hash: "2" })),
    },
    "-+",
  ],
];
for (const [name, wanted, nodes, expected] of FILTERED) {
  test(`the filter of PodTopologySpread: ${name}`, () => {
    assert.equal(verdictsOf(podTopologySpread(), { pod: wanted, nodes }), expected);
  });
}

const softly = (more: Partial<TopologySpreadConstraint>) =>
  constraint("node", "foo", { whenUnsatisfiable: "ScheduleAnyway", ...more });
test("scores of PodTopologySpread: pods of another revision weigh nothing", () => {
  const nodes = {
    a: node({ node: "a" }, times(3, { ...foo, hash: "1" })),
    b: node({ node: "b" }, times(1, { ...foo, hash: "2" })),
  };
  const labels = { ...foo, hash: "2" };
  const byRevision = pod([softly({ matchLabelKeys: ["hash"] })], {}, labels);
  assert.deepEqual(scoresOf(podTopologySpread(), { pod: byRevision, nodes }), [100, 0]);
  const all = pod([softly({})], {}, labels);
  assert.deepEqual(scoresOf(podTopologySpread(), { pod: all, nodes }), [25, 100]);
});

/** Two, one and one of the pods; the last node is another kind, or tainted. */
const counted = (last: NodeShape = {}): Record<string, NodeShape> => ({
  a: node({ node: "a", ...foo }, times(2, foo)),
  b: node({ node: "b", ...foo }, times(1, foo)),
  c: node({ node: "c" }, times(1, foo), last),
});
const HOST = "kubernetes.io/hostname";
const soft = (topologyKey: string, more: Partial<TopologySpreadConstraint>) =>
  constraint(topologyKey, "foo", { whenUnsatisfiable: "ScheduleAnyway", ...more });
const exists = (key: string) => ({ matchExpressions: [{ key, operator: "Exists" as const }] });
/** Nodes a and b in one zone, c and d in another, with so labelled pods. */
const byHost = (...pods: Record<string, string>[][]): Record<string, NodeShape> =>
  Object.fromEntries(
    pods.map((labels, at) => {
      const name = "abcd"[at] ?? "";
      const placed = labels.flatMap((one) => times(1, one));
      return [name, node({ [HOST]: name, zone: at < 2 ? "1" : "2" }, placed)];
    }),
  );
const fooBar = { ...foo, ...bar };
const SCORED: [string, PodShape, Record<string, NodeShape>, number[]][] = [
  ["who is not selected", pod([softly({})], ofFoo), counted(), [0, 33, 100]],
  ["who is not selected counts, too", pod([softly(ignoring)], ofFoo), counted(), [66, 100, 100]],
  ["whom affinity leaves out", pod([softly({})], likeFoo), counted(), [0, 33, 100]],
  ["whom affinity leaves out counts", pod([softly(ignoring)], likeFoo), counted(), [66, 100, 100]],
  ["who is tainted", pod([softly(honouring)]), counted({ taints: [CORDON] }), [0, 33, 100]],
  ["who is tainted counts", pod([softly({})]), counted({ taints: [CORDON] }), [66, 100, 100]],
  [
    "a number of domains is not asked for",
    pod([softly({ maxSkew: 2, minDomains: 10 })]),
    { ...counted(), b: node({ node: "b" }, times(2, foo)) },
    [75, 75, 100],
  ],
  [
    "keys beside empty selectors",
    pod(
      [
        soft("zone", { labelSelector: {}, matchLabelKeys: ["foo"] }),
        soft(HOST, { labelSelector: {}, matchLabelKeys: ["bar"] }),
      ],
      {},
      fooBar,
    ),
    byHost([foo], [fooBar], [foo, bar], []),
    [60, 20, 60, 100],
  ],
  [
    "keys beside selectors",
    pod(
      [soft("zone", {}), soft(HOST, { labelSelector: exists("bar"), matchLabelKeys: ["baz"] })],
      {},
      { ...fooBar, baz: "" },
    ),
    byHost([foo], [{ ...fooBar, baz: "" }], [foo, bar, { ...bar, baz: "" }], []),
    [60, 20, 60, 100],
  ],
];
for (const [name, wanted, nodes, expected] of SCORED) {
  test(`scores of PodTopologySpread: ${name}`, () => {
    assert.deepEqual(scoresOf(podTopologySpread(), { pod: wanted, nodes }), expected);
  });
}

test("scores of PodTopologySpread: behind a Service, nodes without zone are in one of their own", () => {
  const zone = "topology.kubernetes.io/zone";
  const nodes = {
    a: node({ [HOST]: "a", [zone]: "mars" }, times(3, foo)),
    b: node({ [HOST]: "b", [zone]: "mars" }, times(1, foo)),
    c: node({ [HOST]: "c" }, times(1, foo)),
    d: node({ [HOST]: "d" }, []),
  };
  const [weighed, hosts] = [Math.log(2 + 2), Math.log(4 + 2)];
  const costs = [3 * hosts + 4 * weighed, 1 * hosts + 4 * weighed, hosts - 4, -4];
  const [most = 0, , , least = 0] = costs.map((cost) => Math.round(cost + 2 + 4));
  const expected = costs.map((cost) =>
    Math.floor((100 * (most + least - Math.round(cost + 2 + 4))) / most),
  );
  const question = { pod: { labels: foo }, nodes, services: [foo] };
  assert.deepEqual(scoresOf(podTopologySpread(), question), expected);
});

test("scores of PodTopologySpread: behind a Service, on nodes without zones", () => {
  const nodes = Object.fromEntries(
    ["a", "b", "c", "d"].map((name, at) => [name, node({ [HOST]: name }, times(4 - at, foo))]),
  );
  const question = { pod: { labels: foo }, nodes, services: [foo] };
  assert.deepEqual(scoresOf(podTopologySpread(), question), [44, 66, 77, 100]);
});
