import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonSet } from "../../api/generated/types/apps-v1.ts";
import type { Node, NodeSpec, Pod } from "../../api/generated/types/core-v1.ts";
import { daemonPod, targetNode } from "./daemon-pod.ts";
import { daemonSetStatus, planDaemonSet } from "./daemon-set-plan.ts";

const NOW = Date.parse("2030-01-01T01:00:00Z");

function set(more: Partial<DaemonSet["spec"]> = {}): DaemonSet {
  return {
    metadata: { name: "logs", namespace: "default", uid: "ds", generation: 1 },
    spec: {
      selector: { matchLabels: { app: "logs" } },
      template: { metadata: { labels: { app: "logs" } }, spec: { containers: [] } },
      ...more,
    },
  };
}

const node = (name: string, spec: NodeSpec = {}): Node => ({
  metadata: { name, labels: { name } },
  spec,
});

interface PodShape {
  hash?: string;
  ready?: boolean;
  phase?: "Running" | "Failed";
  terminating?: boolean;
}

function pod(name: string, on: string, shape: PodShape = {}): Pod {
  const { hash = "new", ready = true, phase = "Running", terminating = false } = shape;
  return {
    metadata: {
      name,
      uid: name,
      labels: { app: "logs", "controller-revision-hash": hash },
      ...(terminating ? { deletionTimestamp: "2030-01-01T00:59:00Z" } : {}),
    },
    spec: { containers: [], nodeName: on },
    status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

const plan = (wanted: DaemonSet, nodes: Node[], pods: Pod[]) =>
  planDaemonSet(wanted, { nodes, pods, hash: "new", nowMs: NOW }).map((step) =>
    step.do === "create" ? `create on ${step.node}` : `delete ${step.pod.metadata?.name}`,
  );
const three = [node("n1"), node("n2"), node("n3")];

test("every node gets one pod", () => {
  assert.deepEqual(plan(set(), three, [pod("a", "n1")]), ["create on n2", "create on n3"]);
});

test("tainted nodes get none, cordoned ones do", () => {
  const nodes = [
    node("n1", { taints: [{ key: "k", effect: "NoSchedule" }] }),
    node("n2", { taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] }),
  ];
  assert.deepEqual(plan(set(), nodes, []), ["create on n2"]);
});

test("a pod may stay where it would not be started any more", () => {
  const nodes = [node("n1", { taints: [{ key: "k", effect: "NoSchedule" }] })];
  assert.deepEqual(plan(set(), nodes, [pod("a", "n1")]), []);
});

test("a node that no longer matches, or is gone, loses its pod", () => {
  const template = { spec: { containers: [], nodeSelector: { name: "n1" } } };
  const pods = [pod("a", "n1"), pod("b", "n2"), pod("c", "gone")];
  assert.deepEqual(plan(set({ template }), [node("n1"), node("n2")], pods), [
    "delete b",
    "delete c",
  ]);
});

test("a failed pod is deleted and replaced once it is gone", () => {
  assert.deepEqual(plan(set(), [node("n1")], [pod("a", "n1", { phase: "Failed" })]), ["delete a"]);
  const going = [pod("a", "n1", { terminating: true })];
  assert.deepEqual(plan(set(), [node("n1")], going), []);
});

test("a rolling update replaces one available pod at a time", () => {
  const old = three.map(({ metadata }, at) => pod(`p${at}`, metadata?.name ?? "", { hash: "old" }));
  assert.deepEqual(plan(set(), three, old), ["delete p0"]);
  const waiting = [pod("p0", "n1", { ready: false }), ...old.slice(1)];
  assert.deepEqual(plan(set(), three, waiting), []);
});

test("old pods that do not serve are replaced at once, and count for nothing", () => {
  const pods = [pod("a", "n1", { hash: "old", ready: false }), pod("b", "n2", { hash: "old" })];
  assert.deepEqual(plan(set(), three.slice(0, 2), pods), ["delete a", "delete b"]);
});

test("OnDelete leaves old pods alone", () => {
  const manual = set({ updateStrategy: { type: "OnDelete" } });
  assert.deepEqual(plan(manual, [node("n1")], [pod("a", "n1", { hash: "old" })]), []);
});

test("with surge the new pod comes first", () => {
  const surge = set({ updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
  const old = pod("a", "n1", { hash: "old" });
  assert.deepEqual(plan(surge, [node("n1")], [old]), ["create on n1"]);
  assert.deepEqual(plan(surge, [node("n1")], [old, pod("b", "n1", { ready: false })]), []);
  assert.deepEqual(plan(surge, [node("n1")], [old, pod("b", "n1")]), ["delete a"]);
});

test("a rollout that is overtaken while it surges takes the surplus away first", () => {
  const surge = set({ updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
  const pods = [pod("a", "n1", { hash: "oldest" }), pod("b", "n1", { hash: "old" })];
  assert.deepEqual(plan(surge, [node("n1")], pods), ["delete b"]);
});

test("a daemon pod is meant for its node before it is bound", () => {
  const owner = { apiVersion: "apps/v1", kind: "DaemonSet", name: "logs", uid: "ds" };
  assert.equal(targetNode(daemonPod(set(), { node: "n2", owner, hash: "new" })), "n2");
});

test("status counts nodes, not pods", () => {
  const pods = [pod("a", "n1"), pod("b", "n2", { ready: false, hash: "old" }), pod("c", "gone")];
  const { status } = daemonSetStatus(set(), { nodes: three, pods, hash: "new", nowMs: NOW });
  assert.deepEqual(status, {
    currentNumberScheduled: 2,
    numberMisscheduled: 0,
    desiredNumberScheduled: 3,
    numberReady: 1,
    observedGeneration: 1,
    updatedNumberScheduled: 1,
    numberAvailable: 1,
    numberUnavailable: 2,
  });
});
