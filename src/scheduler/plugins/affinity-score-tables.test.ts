import assert from "node:assert/strict";
import { test } from "node:test";
import type { Affinity } from "../../api/generated/types/core-v1.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { type NodeShape, type PodShape, scoresOf } from "./plugin-table-fixture.ts";

// Facts of upstream's plugin tests: nodes, pods on them, and the scores that wishes for company give.

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
