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
const ignoring = { nodeAffinityPolicy: "Ignore" as const };
const honouring = { nodeTaintsPolicy: "Honor" as const };

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
