import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodSpec } from "../../api/generated/types/core-v1.ts";
import { VolumeCatalog } from "../volumes/volume-catalog.ts";
import type { DefaultPreemptionArgs } from "./default-preemption.ts";
import { type Case, HOST, type Placed, preempt } from "./preemption-fixture.ts";

const PORT = { containers: [{ name: "c", ports: [{ containerPort: 1, hostPort: 80 }] }] };

const DISK: Partial<PodSpec> = {
  volumes: [{ name: "v", gcePersistentDisk: { pdName: "disk" } }],
};

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
    name: "whoever has the disk goes",
    nodes: {
      n1: [
        { name: "a", priority: 1, spec: DISK },
        { name: "b", priority: 0 },
      ],
    },
    pod: { name: "p", priority: 10, spec: DISK },
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

test("preemption: a claim for one pod goes over to the more important one", () => {
  const catalog = new VolumeCatalog();
  const annotations = { "pv.kubernetes.io/bind-completed": "yes" };
  catalog.claims.set("default/data", {
    metadata: { name: "data", namespace: "default", annotations },
    spec: { volumeName: "v", accessModes: ["ReadWriteOncePod"] },
  });
  catalog.volumes.set("v", { metadata: { name: "v" }, spec: { capacity: { storage: "1Gi" } } });
  const spec = {
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
  };
  const nodes = {
    n1: [{ name: "idle", priority: 0 }],
    n2: [
      { name: "holder", priority: 5, spec },
      { name: "other", priority: 0 },
    ],
  };
  const found = preempt({ nodes, pod: { name: "p", priority: 10, spec } }, { catalog });
  assert.equal(found?.preemption?.node, "n2");
  assert.deepEqual(
    found.preemption.victims.map(({ name }) => name),
    ["holder"],
  );
  const equal = preempt({ nodes, pod: { name: "p", priority: 5, spec } }, { catalog });
  assert.equal(equal?.preemption, undefined);
});
