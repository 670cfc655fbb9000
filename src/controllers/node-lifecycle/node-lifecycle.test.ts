import assert from "node:assert/strict";
import { test } from "node:test";
import { NODES, PODS } from "../../api/generated/resources.ts";
import type { Node, Pod, Taint, Toleration } from "../../api/generated/types/core-v1.ts";
import { startControllerBench } from "../controller-bench.ts";
import { nextPodCidr } from "./node-address-controller.ts";
import { type GivesUp, planNodeHealth } from "./node-health-plan.ts";
import { taintEvictionController } from "./node-lifecycle-controller.ts";
import { planTaintEviction, toleratedMs } from "./taint-eviction-plan.ts";

const NOW = Date.parse("2030-01-01T00:01:00Z");

function node(ready: "True" | "False" | "Unknown", more: Partial<Node["spec"]> = {}): Node {
  return {
    metadata: { name: "n1", creationTimestamp: "2030-01-01T00:00:00Z" },
    spec: more,
    status: { conditions: [{ type: "Ready", status: ready, reason: "KubeletReady" }] },
  };
}

const health = (silentMs: number, givesUp: GivesUp = "now") => ({
  lastSignMs: NOW - silentMs,
  graceMs: 40_000,
  nowMs: NOW,
  givesUp,
});
const keys = (taints: readonly Taint[]) => taints.map(({ key, effect }) => `${key}:${effect}`);

test("a node that shows life needs no write", () => {
  assert.deepEqual(planNodeHealth(node("True"), health(39_000)), []);
});

test("a silent node becomes Unknown and unreachable", () => {
  const [conditions, taints] = planNodeHealth(node("True"), health(41_000));
  assert.ok(conditions?.do === "conditions" && taints?.do === "taints");
  assert.deepEqual(
    conditions.conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ["Ready", "Unknown", "NodeStatusUnknown"],
      ["MemoryPressure", "Unknown", "NodeStatusNeverUpdated"],
      ["DiskPressure", "Unknown", "NodeStatusNeverUpdated"],
      ["PIDPressure", "Unknown", "NodeStatusNeverUpdated"],
    ],
  );
  assert.deepEqual(keys(taints.taints), [
    "node.kubernetes.io/unreachable:NoSchedule",
    "node.kubernetes.io/unreachable:NoExecute",
  ]);
  const after: Node = {
    ...node("Unknown"),
    spec: { taints: taints.taints },
    status: { conditions: conditions.conditions },
  };
  assert.deepEqual(planNodeHealth(after, health(60_000)), []);
});

const LOST: [givesUp: GivesUp, before: Taint[], expected: string[] | "no write"][] = [
  ["now", [], ["unreachable:NoSchedule", "unreachable:NoExecute"]],
  ["later", [], ["unreachable:NoSchedule"]],
  [
    "later",
    [{ key: "node.kubernetes.io/not-ready", effect: "NoExecute" }],
    ["unreachable:NoSchedule", "unreachable:NoExecute"],
  ],
  [
    "never",
    [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute" }],
    ["unreachable:NoSchedule"],
  ],
  ["never", [{ key: "node.kubernetes.io/unreachable", effect: "NoSchedule" }], "no write"],
];
for (const [givesUp, before, expected] of LOST) {
  const had = before.map(({ key, effect }) => `${key}:${effect}`).join(" ") || "nothing";
  test(`a lost node that had ${had} is given up ${givesUp}`, () => {
    const [step] = planNodeHealth(node("Unknown", { taints: before }), health(0, givesUp));
    if (expected === "no write") assert.equal(step, undefined);
    else {
      assert.ok(step?.do === "taints");
      assert.deepEqual(
        keys(step.taints),
        expected.map((one) => `node.kubernetes.io/${one}`),
      );
    }
  });
}

test("recovery removes our taints and leaves those of others", () => {
  const taints: Taint[] = [
    { key: "node.kubernetes.io/not-ready", effect: "NoExecute" },
    { key: "team", effect: "NoSchedule" },
  ];
  const [step] = planNodeHealth(node("True", { taints }), health(0));
  assert.ok(step?.do === "taints");
  assert.deepEqual(keys(step.taints), ["team:NoSchedule"]);
});

test("a cordoned node is tainted so", () => {
  const [step] = planNodeHealth(node("True", { unschedulable: true }), health(0));
  assert.ok(step?.do === "taints");
  assert.deepEqual(keys(step.taints), ["node.kubernetes.io/unschedulable:NoSchedule"]);
});

function pod(name: string, tolerations: Toleration[]): Pod {
  return { metadata: { name, uid: name }, spec: { containers: [], tolerations } };
}

test("NoExecute evicts who does not tolerate it, and others when their time is over", () => {
  const taints: Taint[] = [{ key: "gone", effect: "NoExecute" }];
  const pods = [
    pod("never", []),
    pod("briefly", [{ key: "gone", operator: "Exists", tolerationSeconds: 30 }]),
    pod("longer", [{ key: "gone", operator: "Exists", tolerationSeconds: 300 }]),
    pod("always", [{ operator: "Exists" }]),
  ];
  const dueMs = (_: Pod, limitMs: number) => NOW - 60_000 + limitMs;
  const observed = { pods, dueMs, nowMs: NOW };
  const { evict, requeueAfterMs } = planTaintEviction(node("True", { taints }), observed);
  assert.deepEqual(
    evict.map(({ metadata }) => metadata?.name),
    ["never", "briefly"],
  );
  assert.equal(requeueAfterMs, 240_000);
});

test("prefixes for pods are the first free ones and run out", () => {
  const range = { cidr: "10.244.0.0/23", nodePrefix: 24 };
  assert.equal(nextPodCidr(range, new Set()), "10.244.0.0/24");
  assert.equal(nextPodCidr(range, new Set(["10.244.0.0/24"])), "10.244.1.0/24");
  assert.equal(nextPodCidr(range, new Set(["10.244.0.0/24", "10.244.1.0/24"])), undefined);
});

test("who is spared when the taint goes in time is told of it", async () => {
  await using bench = startControllerBench(taintEvictionController());
  const { client } = bench;
  const taints: Taint[] = [{ key: "gone", effect: "NoExecute" }];
  await client.for(NODES).create({ metadata: { name: "n" }, spec: { taints } });
  for (const [name, tolerationSeconds] of [
    ["patient", 300],
    ["hasty", 1],
  ] as const) {
    await client.for(PODS).create({
      metadata: { name, namespace: "default" },
      spec: {
        nodeName: "n",
        containers: [],
        tolerations: [{ key: "gone", operator: "Exists", tolerationSeconds }],
      },
    });
  }
  await bench.settle();
  await client.for(NODES).patch({ name: "n" }, { spec: { taints: null } });
  await bench.settle();
  assert.deepEqual(
    bench.events.map(({ message }) => message),
    ["Marking for deletion Pod default/hasty", "Cancelling deletion of Pod default/patient"],
  );
});

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).
const toleration = (key: string, tolerationSeconds?: number): Toleration => ({
  ...(key ? { key } : {}),
  operator: "Exists",
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});
const TIMES: [
  title: string,
  tolerations: Toleration[],
  taints: string[],
  ms: number | undefined,
][] = [
  ["nothing is tolerated", [], ["a"], 0],
  ["one of two is not", [toleration("a")], ["a", "b"], 0],
  ["for good", [toleration("a")], ["a"], undefined],
  ["for a time", [toleration("a", 100)], ["a"], 100_000],
  ["the shorter time of two", [toleration("a", 100), toleration("b", 50)], ["a", "b"], 50_000],
  ["a time and for good", [toleration("a"), toleration("b", 50)], ["a", "b"], 50_000],
  ["no time at all", [toleration("a", 0)], ["a"], 0],
  ["less than none", [toleration("a", -5)], ["a"], 0],
  ["the first one that fits counts", [toleration(""), toleration("a", 5)], ["a"], undefined],
];
test("how long a pod may stay", () => {
  for (const [title, tolerations, taints, ms] of TIMES) {
    const noExecute = taints.map((key): Taint => ({ key, effect: "NoExecute" }));
    assert.equal(toleratedMs(pod("p", tolerations), noExecute), ms, title);
  }
});

test("another taint does not put the end off, and one that is tolerated calls it off", async () => {
  await using bench = startControllerBench(taintEvictionController());
  const { client } = bench;
  const taint = (key: string): Taint => ({ key, effect: "NoExecute" });
  const retaint = async (...keys: string[]) => {
    await client.for(NODES).patch({ name: "n" }, { spec: { taints: keys.map(taint) } });
    return bench.settle(20_000);
  };
  const names = async () =>
    (await client.for(PODS).list({ namespace: "default" })).items.map(
      ({ metadata }) => metadata?.name,
    );
  await client.for(NODES).create({ metadata: { name: "n" }, spec: {} });
  for (const [name, tolerations] of [
    ["brief", [toleration("a", 30), toleration("b", 30)]],
    ["lucky", [toleration("a", 30), toleration("b")]],
  ] as const) {
    await client.for(PODS).create({
      metadata: { name, namespace: "default" },
      spec: { nodeName: "n", containers: [], tolerations: [...tolerations] },
    });
  }
  await retaint("a");
  assert.deepEqual(new Set(await names()), new Set(["brief", "lucky"]));
  await retaint("b");
  assert.deepEqual(await names(), ["lucky"]);
  assert.deepEqual(
    bench.events.map(({ message }) => message),
    ["Cancelling deletion of Pod default/lucky", "Marking for deletion Pod default/brief"],
  );
});
