import assert from "node:assert/strict";
import { test } from "node:test";
import type { Affinity, PodAffinityTerm } from "../../api/generated/types/core-v1.ts";
import { type InterPodAffinityArgs, interPodAffinity } from "./inter-pod-affinity.ts";
import { type NodeShape, type PodShape, reasonsOf, scoresOf } from "./plugin-table-fixture.ts";

// Facts of upstream's tests of InterPodAffinity, Kubernetes 1.23 to 1.32, Apache-2.0: which
// namespaces a term is about, by their names and by their labels.

const namespaces = {
  "subteam1.team1": { team: "team1" },
  "subteam2.team1": { team: "team1" },
  "subteam1.team2": { team: "team2" },
  "subteam2.team2": { team: "team2" },
};
const isOne = (key: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator: "In" as const, values }],
});
const ofTeam1 = isOne("team", "team1");
const scan = { service: "securityscan" };
const S1 = { security: "S1" };
const S2 = { security: "S2" };
const hard = "requiredDuringSchedulingIgnoredDuringExecution" as const;
const soft = "preferredDuringSchedulingIgnoredDuringExecution" as const;
const near = (term: PodAffinityTerm): Affinity => ({ podAffinity: { [hard]: [term] } });
const far = (term: PodAffinityTerm): Affinity => ({ podAntiAffinity: { [hard]: [term] } });
const wish = (podAffinityTerm: PodAffinityTerm) => [{ weight: 5, podAffinityTerm }];
const likes = (term: PodAffinityTerm): Affinity => ({ podAffinity: { [soft]: wish(term) } });
const shuns = (term: PodAffinityTerm): Affinity => ({ podAntiAffinity: { [soft]: wish(term) } });
const pod = (
  namespace: string | undefined,
  labels: Record<string, string>,
  affinity?: Affinity,
): PodShape => ({
  labels,
  ...(namespace ? { namespace } : {}),
  ...(affinity ? { spec: { affinity } } : {}),
});

const scanners = (topologyKey: string, namespaceSelector: object): PodAffinityTerm => ({
  topologyKey,
  labelSelector: isOne("service", "securityscan", "value2"),
  namespaceSelector,
});
const UNMATCHED = ["node(s) didn't match pod affinity rules"];
const REPELLED = ["node(s) didn't match pod anti-affinity rules"];
const team1 = "subteam1.team1";
/** One node of a region and zone, with a scanner of a namespace on it. */
const FILTERED: [string, PodShape, string, readonly string[]][] = [
  ["a partner", pod("", S1, near(scanners("region", ofTeam1))), team1, []],
  [
    "a partner elsewhere",
    pod("", S1, near(scanners("region", ofTeam1))),
    "subteam1.team2",
    UNMATCHED,
  ],
  ["one to avoid", pod(team1, S1, far(scanners("zone", ofTeam1))), "subteam2.team1", REPELLED],
  [
    "one to avoid, wherever it is",
    pod(team1, S1, far(scanners("zone", {}))),
    "subteam2.team1",
    REPELLED,
  ],
  ["one to avoid elsewhere", pod(team1, S1, far(scanners("zone", ofTeam1))), "subteam1.team2", []],
];
for (const [name, wanted, namespace, reasons] of FILTERED) {
  test(`the filter of InterPodAffinity, by labels of namespaces: ${name}`, () => {
    const there = pod(namespace, scan);
    const nodes = { n1: { labels: { region: "r1", zone: "z11" }, pods: [there] } };
    assert.deepEqual(reasonsOf(interPodAffinity(), { pod: wanted, nodes, namespaces }), reasons);
  });
}

const secured = (value: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey: "region",
  labelSelector: isOne("security", value),
  ...more,
});
const byBoth = { namespaces: ["subteam2.team2"], namespaceSelector: ofTeam1 };
const served: PodAffinityTerm = {
  topologyKey: "region",
  labelSelector: isOne("service", "S1"),
  namespaces: ["default", "subteam2.team2"],
  namespaceSelector: ofTeam1,
};
const on = (labels: Record<string, string>, ...pods: PodShape[]): NodeShape => ({ labels, pods });
const china = { region: "China" };
const india = { region: "India" };
const az1 = { az: "az1" };
const wishedFor = (affinity: Affinity): Record<string, NodeShape> => ({
  a: on(china, pod(undefined, S1, affinity)),
  b: on(india, pod(undefined, S2, likes(secured("S2")))),
  c: on(az1),
});
/** Two of the pod's own namespace and one of another on a, one of its team on b. */
const against = (third: string): Record<string, NodeShape> => ({
  a: on(china, pod(team1, S1), pod(team1, S1), pod(third, S1)),
  b: on(india, pod("subteam2.team1", S1)),
});
const required: Record<string, NodeShape> = {
  a: on(china, pod(undefined, {}, near(served))),
  b: on(india, pod(undefined, {}, near(served))),
  c: on(az1),
};
const service = { service: "S1" };
const SCORED: [string, PodShape, Record<string, NodeShape>, number[], InterPodAffinityArgs?][] = [
  ["somebody wants it", pod(team1, S1), wishedFor(likes(secured("S1", byBoth))), [100, 0, 0]],
  [
    "somebody wants it away",
    pod(team1, S1),
    wishedFor(shuns(secured("S1", byBoth))),
    [0, 100, 100],
  ],
  [
    "partners of the team",
    pod(team1, S1, likes(secured("S1", byBoth))),
    against("subteam1.team2"),
    [100, 0],
  ],
  [
    "partners of the team and of a namespace",
    pod(team1, S1, likes(secured("S1", byBoth))),
    against("subteam2.team2"),
    [100, 0],
  ],
  [
    "whom it shuns of the team",
    pod(team1, S1, shuns(secured("S1", byBoth))),
    against("subteam1.team2"),
    [0, 100],
  ],
  [
    "whom it shuns of the team and of a namespace",
    pod(team1, S1, shuns(secured("S1", byBoth))),
    against("subteam2.team2"),
    [0, 100],
  ],
  ["others require it", pod(undefined, service), required, [100, 100, 0]],
  [
    "others require it, which weighs nothing",
    pod(undefined, service),
    required,
    [0, 0, 0],
    { hardPodAffinityWeight: 0 },
  ],
  ["others require another namespace", pod("subteam1.team2", service), required, [0, 0, 0]],
  ["others require its team", pod(team1, service), required, [100, 100, 0]],
  ["others require its namespace", pod("subteam2.team2", service), required, [100, 100, 0]],
];
for (const [name, wanted, nodes, expected, args] of SCORED) {
  test(`scores of InterPodAffinity, by namespaces: ${name}`, () => {
    assert.deepEqual(
      scoresOf(interPodAffinity(args), { pod: wanted, nodes, namespaces }),
      expected,
    );
  });
}
