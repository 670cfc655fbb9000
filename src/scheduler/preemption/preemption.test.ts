import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { seededRandom } from "../../lib/random.ts";
import { defaultPlugins } from "../framework/default-plugins.ts";
import { Framework } from "../framework/framework.ts";
import type { PostFilterResult } from "../framework/contract.ts";
import { ProfileTable } from "../pod/pod-profile.ts";
import { schedule } from "../schedule.ts";
import { emptyPluginDeps } from "../scheduler-fixture.ts";
import { ClusterState } from "../state/cluster-state.ts";
import { Nominations } from "../state/nominations.ts";
import { type DefaultPreemptionArgs, defaultPreemption } from "./default-preemption.ts";
import { DisruptionBudgets } from "./disruption-budgets.ts";

interface Placed {
  name: string;
  priority: number;
  cpu?: number;
  start?: number;
  app?: string;
  /** "preempted": for another pod's sake. */
  terminating?: boolean | "preempted";
  spec?: Partial<PodSpec>;
}

const PORT = { containers: [{ name: "c", ports: [{ containerPort: 1, hostPort: 80 }] }] };

const PREEMPTED = {
  type: "DisruptionTarget" as const,
  status: "True" as const,
  reason: "PreemptionByScheduler",
};

function podOf(placed: Placed): Pod {
  const { name, priority, cpu = 1, start = 5, app, terminating, spec = {} } = placed;
  return {
    metadata: {
      name,
      uid: name,
      namespace: "default",
      labels: app ? { app } : {},
      ...(terminating ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      priority,
      containers: [{ name: "c", resources: { requests: { cpu: `${cpu}` } } }],
      ...spec,
    },
    status: {
      startTime: `2026-01-01T00:00:0${start}Z`,
      ...(terminating === "preempted" ? { conditions: [PREEMPTED] } : {}),
    },
  };
}

const HOST = "kubernetes.io/hostname";
const foo = { matchLabels: { app: "foo" } };
const ALONE = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: HOST, labelSelector: foo }],
  },
};
const SPREAD: Partial<PodSpec> = {
  topologySpreadConstraints: ["zone", HOST].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: foo,
  })),
};

interface Case {
  name: string;
  /** Nodes of four CPUs, each with its pods: two in one zone, the others in another. */
  nodes: Record<string, Placed[]>;
  pod: Placed;
  /** Disruptions that are allowed to the pods of an app. */
  budgets?: Record<string, number>;
  /** Names of pods whose disruption was allowed already. */
  disrupted?: string[];
  expected: { node: string; victims: string[] } | string;
}

const CASES: Case[] = [
  {
    name: "the least important pods that make room go, and no more",
    nodes: {
      n1: [
        { name: "a", priority: 1 },
        { name: "b", priority: 2, cpu: 2 },
        { name: "c", priority: 3 },
      ],
    },
    pod: { name: "p", priority: 10, cpu: 2 },
    expected: { node: "n1", victims: ["b"] },
  },
  {
    name: "of equals the youngest goes",
    nodes: {
      n1: [
        { name: "old", priority: 1, cpu: 2, start: 1 },
        { name: "young", priority: 1, cpu: 2, start: 9 },
      ],
    },
    pod: { name: "p", priority: 10, cpu: 2 },
    expected: { node: "n1", victims: ["young"] },
  },
  {
    name: "the node whose most important victim matters least wins",
    nodes: { n1: [{ name: "a", priority: 5, cpu: 4 }], n2: [{ name: "b", priority: 4, cpu: 4 }] },
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n2", victims: ["b"] },
  },
  {
    name: "then the smaller sum of priorities",
    nodes: {
      n1: [
        { name: "a", priority: 5, cpu: 2 },
        { name: "b", priority: 5, cpu: 2 },
      ],
      n2: [
        { name: "c", priority: 5, cpu: 2 },
        { name: "d", priority: 1, cpu: 2 },
      ],
    },
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n2", victims: ["c", "d"] },
  },
  {
    name: "then fewer victims",
    nodes: {
      n1: [
        { name: "a", priority: -5, cpu: 2 },
        { name: "b", priority: -5, cpu: 2 },
      ],
      n2: [{ name: "c", priority: -5, cpu: 4 }],
    },
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n2", victims: ["c"] },
  },
  {
    name: "then the victim that started last",
    nodes: {
      n1: [{ name: "a", priority: 1, cpu: 4, start: 1 }],
      n2: [{ name: "b", priority: 1, cpu: 4, start: 7 }],
      n3: [{ name: "c", priority: 1, cpu: 4, start: 3 }],
    },
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n2", victims: ["b"] },
  },
  {
    name: "a budget outweighs priorities",
    nodes: {
      n1: [{ name: "a", priority: 1, cpu: 4, app: "guarded" }],
      n2: [{ name: "b", priority: 9, cpu: 4 }],
    },
    budgets: { guarded: 0 },
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n2", victims: ["b"] },
  },
  {
    name: "a budget that allows it is no obstacle",
    nodes: {
      n1: [{ name: "a", priority: 1, cpu: 4, app: "guarded" }],
      n2: [{ name: "b", priority: 9, cpu: 4 }],
    },
    budgets: { guarded: 1 },
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n1", victims: ["a"] },
  },
  {
    name: "a pod whose eviction was allowed already costs its budget nothing",
    nodes: {
      n1: [{ name: "a", priority: 1, cpu: 4, app: "guarded" }],
      n2: [{ name: "b", priority: 9, cpu: 4 }],
    },
    budgets: { guarded: 0 },
    disrupted: ["a"],
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n1", victims: ["a"] },
  },
  {
    name: "the eviction of another pod leaves the budget as it is",
    nodes: {
      n1: [{ name: "a", priority: 1, cpu: 4, app: "guarded" }],
      n2: [{ name: "b", priority: 9, cpu: 4 }],
    },
    budgets: { guarded: 0 },
    disrupted: ["other"],
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n2", victims: ["b"] },
  },
  {
    name: "a pod that must not preempt takes nobody away",
    nodes: { n1: [{ name: "a", priority: 1, cpu: 4 }] },
    pod: { name: "p", priority: 10, spec: { preemptionPolicy: "Never" } },
    expected: "preemption: not eligible due to preemptionPolicy=Never.",
  },
  {
    name: "on one node the guarded pod is spared where another will do",
    nodes: {
      n1: [
        { name: "a", priority: 1, cpu: 2, app: "guarded" },
        { name: "b", priority: 2, cpu: 2 },
      ],
    },
    budgets: { guarded: 0 },
    pod: { name: "p", priority: 10, cpu: 2 },
    expected: { node: "n1", victims: ["b"] },
  },
  {
    name: "a budget is broken when nothing else helps",
    nodes: { n1: [{ name: "a", priority: 1, cpu: 4, app: "guarded" }] },
    budgets: { guarded: 0 },
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n1", victims: ["a"] },
  },
  {
    name: "whoever holds the port goes",
    nodes: {
      n1: [
        { name: "a", priority: 1, spec: PORT },
        { name: "b", priority: 0 },
      ],
    },
    pod: { name: "p", priority: 10, spec: PORT },
    expected: { node: "n1", victims: ["a"] },
  },
  {
    name: "a small pod stays, though it matters less than the large one that goes",
    nodes: {
      n1: [
        { name: "small", priority: 1, cpu: 1 },
        { name: "large", priority: 5, cpu: 3 },
      ],
      n2: [{ name: "other", priority: 6, cpu: 4 }],
    },
    pod: { name: "p", priority: 10, cpu: 3 },
    expected: { node: "n1", victims: ["large"] },
  },
  {
    name: "of all that could go, those that matter most are spared while there is room",
    nodes: {
      n1: [
        { name: "a", priority: 5, start: 1 },
        { name: "b", priority: 1 },
        { name: "c", priority: 5, start: 2 },
        { name: "d", priority: 10 },
      ],
      n2: [{ name: "e", priority: 10, cpu: 4 }],
    },
    pod: { name: "p", priority: 10, cpu: 2 },
    expected: { node: "n1", victims: ["c", "b"] },
  },
  {
    name: "whoever keeps the pod away goes",
    nodes: {
      n1: [
        { name: "a", priority: 1, app: "foo", spec: { affinity: ALONE } },
        { name: "b", priority: 0 },
        { name: "c", priority: 10 },
      ],
    },
    pod: { name: "p", priority: 10, app: "foo" },
    expected: { node: "n1", victims: ["a"] },
  },
  {
    name: "spreading is made possible where the last victim started later",
    nodes: {
      n1: [
        { name: "a1", priority: 5, app: "foo" },
        { name: "a2", priority: 1, app: "foo", start: 2 },
      ],
      n2: [{ name: "b1", priority: 1, app: "foo", start: 3 }],
      n3: [
        { name: "x1", priority: 10, app: "foo" },
        { name: "x2", priority: 10, app: "foo" },
      ],
    },
    pod: { name: "p", priority: 10, app: "foo", spec: SPREAD },
    expected: { node: "n2", victims: ["b1"] },
  },
  {
    name: "a budget for one is broken by the second",
    nodes: {
      n1: [
        { name: "a", priority: 5, cpu: 2, app: "guarded" },
        { name: "b", priority: 5, cpu: 2, app: "guarded" },
      ],
      n2: [{ name: "c", priority: 9, cpu: 4 }],
    },
    budgets: { guarded: 1 },
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n2", victims: ["c"] },
  },
  {
    name: "a budget for one is broken by the second where there is no other way",
    nodes: {
      n1: [
        { name: "a", priority: 5, cpu: 2, app: "guarded", start: 1 },
        { name: "b", priority: 5, cpu: 2, app: "guarded", start: 2 },
      ],
    },
    budgets: { guarded: 1 },
    pod: { name: "p", priority: 10, cpu: 4 },
    expected: { node: "n1", victims: ["a", "b"] },
  },
  {
    name: "a node that the pod does not select is not emptied",
    nodes: { n1: [{ name: "a", priority: 1, cpu: 4 }] },
    pod: { name: "p", priority: 10, spec: { nodeSelector: { zone: "9" } } },
    expected: "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  },
  {
    name: "equals are never taken",
    nodes: { n1: [{ name: "a", priority: 10, cpu: 4 }] },
    pod: { name: "p", priority: 10 },
    expected:
      "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  },
  {
    name: "a node that is too small even when empty is not emptied",
    nodes: { n1: [{ name: "a", priority: 1 }] },
    pod: { name: "p", priority: 10, cpu: 5 },
    expected: "preemption: 0/1 nodes are available: 1 Insufficient cpu.",
  },
  {
    name: "taking pods away that is not enough is not done",
    nodes: {
      n1: [
        { name: "a", priority: 1, cpu: 1 },
        { name: "b", priority: 20, cpu: 3 },
      ],
    },
    pod: { name: "p", priority: 10, cpu: 2 },
    expected: "preemption: 0/1 nodes are available: 1 Insufficient cpu.",
  },
];

/** How far preemption looks, and where the pod is expected already. */
interface Search {
  args?: DefaultPreemptionArgs;
  nominated?: string;
}

function preempt(
  { nodes, pod, budgets = {}, disrupted = [] }: Omit<Case, "name" | "expected">,
  { args = {}, nominated }: Search = {},
): PostFilterResult | undefined {
  const state = new ClusterState();
  const profiles = new ProfileTable();
  for (const [name, pods] of Object.entries(nodes)) {
    const labels = { [HOST]: name, zone: name < "n3" ? "1" : "2" };
    state.setNode({
      metadata: { name, labels },
      status: { allocatable: { cpu: "4", pods: "10" } },
    });
    for (const one of pods) state.addPod(profiles.recordOf(podOf(one)), name);
  }
  const guards = new DisruptionBudgets();
  for (const [app, disruptionsAllowed] of Object.entries(budgets)) {
    guards.set({
      metadata: { name: app, namespace: "default" },
      spec: { selector: { matchLabels: { app } } },
      status: {
        disruptionsAllowed,
        disruptedPods: Object.fromEntries(disrupted.map((one) => [one, "2026-01-01T00:00:00Z"])),
        currentHealthy: 1,
        desiredHealthy: 1,
        expectedPods: 1,
      },
    });
  }
  const framework = new Framework(state, {
    schedulerName: "s",
    plugins: defaultPlugins(emptyPluginDeps({ budgets: guards })),
    percentageOfNodesToScore: 0,
  });
  const record = profiles.recordOf(podOf(pod));
  const nominations = new Nominations();
  if (nominated) nominations.set(record, nominated);
  const input = { framework, random: seededRandom(1), nominations };
  const decision = schedule(record, input);
  assert.equal(decision.node, undefined);
  const before = JSON.stringify(state.resources);
  const result = defaultPreemption(guards, args).postFilter?.(record, { decision, input });
  const versionless = (text: string) => text.replace(/"versions":\{[^}]*\}/, "");
  assert.equal(versionless(JSON.stringify(state.resources)), versionless(before));
  return result;
}

for (const one of CASES) {
  test(`preemption: ${one.name}`, () => {
    const result = preempt(one);
    if (typeof one.expected === "string") {
      assert.deepEqual(result, { message: one.expected });
      return;
    }
    const { node, victims = [] } = result?.preemption ?? {};
    assert.equal(node, one.expected.node);
    assert.deepEqual(
      victims.map(({ name }) => name),
      one.expected.victims,
    );
  });
}

const taken = (app?: string): Placed[] => [
  { name: "", priority: 1, cpu: 4, ...(app ? { app } : {}) },
];
const five = (guarded: readonly string[] = []) =>
  Object.fromEntries(
    ["n1", "n2", "n3", "n4", "n5"].map((name) => {
      const [pod] = taken(guarded.includes(name) ? "guarded" : undefined);
      return [name, pod ? [{ ...pod, name: `on-${name}` }] : []];
    }),
  );
const wide = { minCandidateNodesPercentage: 40, minCandidateNodesAbsolute: 1 };
const important: Placed = { name: "p", priority: 10, cpu: 4 };

test("preemption: as many candidates are compared as the profile says", () => {
  const search = (args: DefaultPreemptionArgs) =>
    preempt({ nodes: five(), pod: important }, { args })?.preemption?.candidates.length;
  assert.equal(search(wide), 2);
  assert.equal(search({ minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 3 }), 3);
  assert.equal(search({}), 5);
});

test("preemption: the search goes on until a candidate breaks no budget", () => {
  const nodes = five(["n1", "n2", "n3", "n4"]);
  const found = preempt({ nodes, pod: important, budgets: { guarded: 0 } }, { args: wide });
  assert.equal(found?.preemption?.node, "n5");
});

test("preemption: who has room in sight waits for it", () => {
  const leaving = { name: "a", priority: 1, cpu: 4, terminating: "preempted" as const };
  const pod = { ...important };
  const waiting = preempt({ nodes: { n1: [leaving], n2: taken() }, pod }, { nominated: "n1" });
  const message = "preemption: not eligible due to a terminating pod on the nominated node.";
  assert.deepEqual(waiting, { message });
  const own = { ...leaving, terminating: true };
  const impatient = preempt({ nodes: { n1: [own], n2: taken() }, pod }, { nominated: "n1" });
  assert.ok(impatient?.preemption, "whoever goes for its own sake may take long");
  const stubborn = { ...pod, spec: { nodeSelector: { [HOST]: "n2" } } };
  const lost = { nodes: { n1: [leaving], n2: taken() }, pod: stubborn };
  assert.equal(preempt(lost, { nominated: "n1" })?.preemption?.node, "n2");
  const elsewhere = preempt({ nodes: { n1: [leaving], n2: taken() }, pod }, { nominated: "n2" });
  assert.ok(elsewhere?.preemption);
});
