import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReplicaSet } from "../../api/generated/types/apps-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { compileSelector } from "../selector.ts";
import { planReplicaSet, replicaSetStatus } from "./replica-set-plan.ts";

const NOW = Date.parse("2030-01-01T01:00:00Z");

function set(replicas: number, more: Partial<ReplicaSet["spec"]> = {}): ReplicaSet {
  return {
    metadata: { name: "web", namespace: "default", uid: "set", generation: 2 },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [] } },
      ...more,
    },
  };
}

interface PodShape {
  owner?: string | undefined;
  labels?: Record<string, string>;
  node?: string;
  phase?: string;
  readyAt?: string;
  terminating?: boolean;
  cost?: string;
}

function pod(name: string, shape: PodShape = {}): Pod {
  const { owner = "set", labels = { app: "web" }, node, phase = "Running", readyAt } = shape;
  const ownerReferences = [
    { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: owner, controller: true },
  ];
  return {
    metadata: {
      name,
      uid: name,
      namespace: "default",
      labels,
      creationTimestamp: "2030-01-01T00:00:00Z",
      ...(owner === "" ? {} : { ownerReferences }),
      ...(shape.terminating ? { deletionTimestamp: "2030-01-01T00:30:00Z" } : {}),
      ...(shape.cost
        ? { annotations: { "controller.kubernetes.io/pod-deletion-cost": shape.cost } }
        : {}),
    },
    spec: { containers: [], ...(node ? { nodeName: node } : {}) },
    status: {
      phase: phase as "Running",
      ...(readyAt
        ? { conditions: [{ type: "Ready", status: "True", lastTransitionTime: readyAt }] }
        : {}),
    },
  };
}

function steps(wanted: ReplicaSet, pods: Pod[], related: Pod[] = pods): string[] {
  const observed = {
    pods,
    related: () => related,
    matches: compileSelector(wanted.spec?.selector),
    nowMs: NOW,
  };
  return planReplicaSet(wanted, observed).map((step) =>
    step.do === "create" ? `create ${step.count}` : `${step.do} ${step.pod.metadata?.name}`,
  );
}

test("creates what is missing and is quiet when nothing is", () => {
  assert.deepEqual(steps(set(3), [pod("a")]), ["create 2"]);
  assert.deepEqual(steps(set(1), [pod("a")]), []);
});

test("finished and terminating pods do not count", () => {
  const pods = [pod("a", { phase: "Failed" }), pod("b", { terminating: true }), pod("c")];
  assert.deepEqual(steps(set(2), pods), ["create 1"]);
});

test("adopts matching orphans before creating and releases pods that no longer match", () => {
  const pods = [pod("orphan", { owner: "" }), pod("left", { labels: { app: "other" } })];
  assert.deepEqual(steps(set(2), pods), ["adopt orphan", "release left", "create 1"]);
});

test("leaves pods of another controller alone", () => {
  assert.deepEqual(steps(set(0), [pod("foreign", { owner: "other" })]), []);
});

test("a terminating set changes nothing", () => {
  const going = set(3);
  going.metadata = { ...going.metadata, deletionTimestamp: "2030-01-01T00:59:00Z" };
  assert.deepEqual(steps(going, [pod("orphan", { owner: "" })]), []);
});

const ready = { node: "n1", readyAt: "2030-01-01T00:10:00Z" };
const RANKING: [name: string, first: Pod, other: Pod][] = [
  ["unassigned before assigned", pod("x", { phase: "Pending" }), pod("a", ready)],
  ["pending before running", pod("x", { node: "n1", phase: "Pending" }), pod("a", ready)],
  ["not ready before ready", pod("x", { node: "n1" }), pod("a", ready)],
  ["cheap before dear", pod("x", { ...ready, cost: "-5" }), pod("a", ready)],
  [
    "ready for a short time before ready for long",
    pod("x", { node: "n1", readyAt: "2030-01-01T00:59:50Z" }),
    pod("a", ready),
  ],
  ["lower UID among equals", pod("a", ready), pod("x", ready)],
];
for (const [name, first, other] of RANKING) {
  test(`scaling down prefers: ${name}`, () => {
    assert.deepEqual(steps(set(1), [other, first]), [`delete ${first.metadata?.name}`]);
  });
}

test("scaling down prefers the node that related pods crowd", () => {
  const [alone, crowded] = [pod("a", { ...ready, node: "n2" }), pod("x", ready)];
  const related = [alone, crowded, pod("sibling", { ...ready, owner: "old-set" })];
  assert.deepEqual(steps(set(1), [alone, crowded], related), ["delete x"]);
});

test("status counts ready and available pods and says when the next becomes available", () => {
  const wanted = set(2, { minReadySeconds: 30 });
  const pods = [pod("a", ready), pod("b", { node: "n1", readyAt: "2030-01-01T00:59:50Z" })];
  const observed = {
    pods,
    related: () => pods,
    matches: compileSelector(wanted.spec?.selector),
    nowMs: NOW,
  };
  assert.deepEqual(replicaSetStatus(wanted, observed), {
    status: {
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      observedGeneration: 2,
    },
    requeueAfterMs: 20_000,
  });
});
