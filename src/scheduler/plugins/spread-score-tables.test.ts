import assert from "node:assert/strict";
import { test } from "node:test";
import { type NodeShape, type PodShape, scoresOf } from "./plugin-table-fixture.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";

// Facts of upstream's plugin tests: nodes, pods on them, and the scores that spreading gives.

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
