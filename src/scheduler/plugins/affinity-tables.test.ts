import assert from "node:assert/strict";
import { test } from "node:test";
import type { Affinity, PodAffinityTerm } from "../../api/generated/types/core-v1.ts";
import type { LabelSelectorRequirement } from "../../api/generated/types/meta-v1.ts";
import { type InterPodAffinityArgs, interPodAffinity } from "./inter-pod-affinity.ts";
import { type NodeShape, type PodShape, scoresOf, verdictsOf } from "./plugin-table-fixture.ts";

// Facts of upstream's tests of InterPodAffinity beyond one node, Kubernetes 1.20 and 1.32,
// Apache-2.0: pods with several terms, domains that overlap, and how much wishes weigh.

type Labels = Record<string, string>;
const has = (key: string): LabelSelectorRequirement => ({ key, operator: "Exists" });
const lacks = (key: string): LabelSelectorRequirement => ({ key, operator: "DoesNotExist" });
const isOne = (key: string, ...values: string[]): LabelSelectorRequirement => ({
  key,
  operator: "In",
  values,
});
const isNone = (key: string, ...values: string[]): LabelSelectorRequirement => ({
  key,
  operator: "NotIn",
  values,
});
const term = (
  topologyKey: string,
  ...matchExpressions: LabelSelectorRequirement[]
): PodAffinityTerm => ({ topologyKey, labelSelector: { matchExpressions } });
const hard = "requiredDuringSchedulingIgnoredDuringExecution" as const;
const soft = "preferredDuringSchedulingIgnoredDuringExecution" as const;
const plain = (labels: Labels, namespace = "default"): PodShape => ({ labels, namespace });
const wanting = (affinity: Affinity, labels: Labels = {}, namespace = "default"): PodShape => ({
  labels,
  namespace,
  spec: { affinity },
});
const near = (...terms: PodAffinityTerm[]): Affinity => ({ podAffinity: { [hard]: terms } });
const far = (...terms: PodAffinityTerm[]): Affinity => ({ podAntiAffinity: { [hard]: terms } });
const on = (labels: Labels, ...pods: PodShape[]): NodeShape => ({ labels, pods });

const foo = { foo: "" };
const bar = { bar: "" };
const fooBar = { ...foo, ...bar };
const zone = (number: number, host: string): Labels => ({ region: "r1", zone: `z${number}`, host });
/** Two nodes of one region, in zones of their own. */
const pair = (onA: PodShape[], onB: PodShape[] = []): Record<string, NodeShape> => ({
  a: on(zone(1, "a"), ...onA),
  b: on(zone(2, "b"), ...onB),
});
const china = { region: "China" };
const india = { region: "India" };
const abc = isOne("foo", "abc");

const FILTERED: [string, PodShape, Record<string, NodeShape>, string][] = [
  [
    "the first of a group needs the key on its node",
    wanting(near(term("zone", isOne("foo", "bar"))), { foo: "bar" }),
    { a: on({ zone: "az1" }), b: on({ zoneLabel: "az2" }) },
    "+!",
  ],
  [
    "one of two terms of avoidance is met, in both regions",
    wanting(far(term("region", abc), term("region", isOne("service", "securityscan"))), {
      foo: "123",
    }),
    {
      a: on(china, plain({ foo: "abc" })),
      b: on(india, plain({ foo: "bar", service: "securityscan" })),
    },
    "--",
  ],
  [
    "a region with whom the pod avoids",
    wanting(far(term("region", abc))),
    {
      a: on(china, plain({ foo: "abc" })),
      b: on({ ...china, az: "az1" }),
      c: on(india),
    },
    "--+",
  ],
  [
    "avoidance keeps to its namespace, on both sides",
    wanting(far(term("region", isOne("foo", "bar"))), { foo: "123" }, "ns1"),
    {
      a: on(china, plain({ foo: "bar" }, "ns1")),
      b: on({ ...china, az: "az1" }),
      c: on(india, wanting(far(term("region", isOne("foo", "123"))), {}, "ns2")),
    },
    "--+",
  ],
  [
    "who is there avoids by a key that no node has",
    plain(foo),
    pair([wanting(far(term("nowhere", has("foo"))))]),
    "++",
  ],
  [
    "the pod avoids by a key that no node has",
    wanting(far(term("nowhere", has("foo")))),
    pair([plain(foo)]),
    "++",
  ],
  [
    "two who are there avoid it, by zone and by region",
    plain(fooBar),
    pair([wanting(far(term("zone", has("foo")))), wanting(far(term("region", has("bar"))))]),
    "--",
  ],
  [
    "it avoids one by zone and another by region",
    wanting(far(term("zone", has("foo")), term("region", has("bar")))),
    pair([plain(foo)], [plain(bar)]),
    "--",
  ],
  [
    "of two terms of one that is there, one has a key that no node has",
    plain(fooBar),
    pair([wanting(far(term("nowhere", has("foo")), term("zone", has("bar"))))]),
    "-+",
  ],
  [
    "of its own two terms one has a key that no node has",
    wanting(far(term("nowhere", has("foo")), term("zone", has("bar")))),
    pair([plain(fooBar)]),
    "-+",
  ],
  [
    "both terms of one that is there hold",
    plain(fooBar),
    pair([wanting(far(term("region", has("foo")), term("zone", has("bar"))))]),
    "--",
  ],
  [
    "both of its own terms hold",
    wanting(far(term("region", has("foo")), term("zone", has("bar")))),
    pair([plain(fooBar)]),
    "--",
  ],
  [
    "each of two zones has one who avoids it, a third has none",
    plain(fooBar),
    {
      ...pair(
        [wanting(far(term("zone", has("foo")), term("zone", has("x"))))],
        [wanting(far(term("zone", has("bar")), term("zone", has("y"))))],
      ),
      c: on(zone(3, "c")),
    },
    "--+",
  ],
  [
    "a partner for both terms, seen from the same zone",
    wanting(near(term("region", has("foo")), term("zone", has("bar")))),
    { a: on(zone(1, "a"), plain(fooBar)), b: on(zone(1, "b")) },
    "++",
  ],
  [
    "two partners, each for one term only",
    wanting(near(term("region", has("foo")), term("zone", has("bar")))),
    pair([plain(foo)], [plain(bar)]),
    "!!",
  ],
  [
    "keys that the server did not put into the selector ask for nothing",
    wanting(near({ ...term("zone", has("foo")), matchLabelKeys: ["hash"] }), { hash: "2" }),
    pair([plain({ ...foo, hash: "1" })], [plain({ ...foo, hash: "2" })]),
    "++",
  ],
];
for (const [name, pod, nodes, expected] of FILTERED) {
  test(`the filter of InterPodAffinity, several nodes: ${name}`, () => {
    assert.equal(verdictsOf(interPodAffinity(), { pod, nodes }), expected);
  });
}

const S1 = { security: "S1" };
const S2 = { security: "S2" };
const wish = (weight: number, podAffinityTerm: PodAffinityTerm) => ({ weight, podAffinityTerm });
const likes = (...wishes: ReturnType<typeof wish>[]): Affinity => ({
  podAffinity: { [soft]: wishes },
});
const shuns = (...wishes: ReturnType<typeof wish>[]): Affinity => ({
  podAntiAffinity: { [soft]: wishes },
});
const s1InAz = shuns(wish(5, term("az", isOne("security", "S1"))));
const s1AndAway: Affinity = {
  ...likes(wish(8, term("region", isOne("security", "S1")))),
  ...shuns(wish(5, term("az", isOne("security", "S2")))),
};
const manyOperators = likes(
  wish(8, term("region", isNone("security", "S1"), isOne("security", "S2"))),
  wish(2, term("region", has("security"), lacks("wrong"))),
);
const hardS1 = near(
  term("region", isOne("security", "S1", "value2")),
  term("region", has("security"), lacks("wrong")),
);
const az1 = { az: "az1" };
const hardS1OnBoth: Record<string, NodeShape> = {
  a: on(china, wanting(hardS1, S1)),
  b: on(india, wanting(hardS1, S2)),
  c: on(az1),
};
const SCORED: [string, PodShape, Record<string, NodeShape>, number[], InterPodAffinityArgs?][] = [
  [
    "operators of all kinds",
    wanting(manyOperators, S1),
    { a: on(china, plain(S1)), b: on(india, plain(S2)), c: on(az1, plain(S1)) },
    [20, 100, 0],
  ],
  ["what others require counts as a wish of theirs", plain(S1), hardS1OnBoth, [100, 100, 0]],
  [
    "unless the profile gives it no weight",
    plain(S1),
    hardS1OnBoth,
    [0, 0, 0],
    { hardPodAffinityWeight: 0 },
  ],
  [
    "whom it shuns is there",
    wanting(s1InAz, S1),
    { a: on(az1, plain(S1)), b: on(china, plain(S2)) },
    [0, 100],
  ],
  [
    "more of whom it shuns",
    wanting(s1InAz, S1),
    { a: on(az1, plain(S1), plain(S1)), b: on(india, plain(S2)) },
    [0, 100],
  ],
  [
    "a wish to be near and one to be away",
    wanting(s1AndAway, S1),
    { a: on(china, plain(S1)), b: on(az1, plain(S1)) },
    [100, 0],
  ],
  [
    "together in a region, apart in its zones",
    wanting(s1AndAway, S1),
    {
      a: on({ ...china, ...az1 }, plain(S1), plain(S1)),
      b: on(india, plain(S1)),
      c: on(china, plain(S1), plain(S1)),
      d: on(china, plain(S1)),
      e: on(india, plain(S1)),
    },
    // Since 1.22 the least of the sums is worth nothing.
    [100, 0, 100, 100, 0],
  ],
  [
    "nodes of a domain without anybody",
    plain(S1),
    { a: on(china, plain(S1)), b: on(china, wanting(s1AndAway)) },
    [0, 0],
  ],
  [
    "wishes of others may be left out",
    plain(S1),
    {
      a: on(china, wanting(likes(wish(5, term("region", isOne("security", "S1")))))),
      b: on(india),
    },
    [0, 0],
    { ignorePreferredTermsOfExistingPods: true },
  ],
];
for (const [name, pod, nodes, expected, args] of SCORED) {
  test(`scores of InterPodAffinity: ${name}`, () => {
    assert.deepEqual(scoresOf(interPodAffinity(args), { pod, nodes }), expected);
  });
}
