import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControllerRevision, StatefulSet } from "../../api/generated/types/apps-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { claimsOf, ordinalOf, statefulPod } from "./stateful-pod.ts";
import { planStatefulSet, statefulSetStatus } from "./stateful-set-plan.ts";

const NOW = Date.parse("2030-01-01T01:00:00Z");
const revision = (name: string): ControllerRevision => ({ metadata: { name }, revision: 1 });

function set(replicas: number, more: Partial<StatefulSet["spec"]> = {}): StatefulSet {
  return {
    metadata: { name: "db", namespace: "default", uid: "s" },
    spec: {
      replicas,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [] } },
      ...more,
    },
  };
}

interface PodShape {
  revision?: string;
  ready?: boolean;
  terminating?: boolean;
  phase?: "Running" | "Failed";
}

function pod(ordinal: number, shape: PodShape = {}): Pod {
  const { revision: hash = "r1", ready = true, terminating = false, phase = "Running" } = shape;
  return {
    metadata: {
      name: `db-${ordinal}`,
      uid: `db-${ordinal}`,
      labels: { "controller-revision-hash": hash },
      ...(terminating ? { deletionTimestamp: "2030-01-01T00:59:00Z" } : {}),
    },
    status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

const observed = (pods: Pod[], update = "r1") => ({
  pods,
  current: revision("r1"),
  update: revision(update),
  nowMs: NOW,
});
const plan = (wanted: StatefulSet, pods: Pod[], update = "r1") =>
  planStatefulSet(wanted, observed(pods, update)).map((step) =>
    step.do === "create"
      ? `create ${step.ordinal} at ${step.revision.metadata?.name}`
      : `delete ${step.pod.metadata?.name}`,
  );

test("pods come one after another, each when the one before is ready", () => {
  assert.deepEqual(plan(set(3), []), ["create 0 at r1"]);
  assert.deepEqual(plan(set(3), [pod(0, { ready: false })]), []);
  assert.deepEqual(plan(set(3), [pod(0)]), ["create 1 at r1"]);
  assert.deepEqual(plan(set(2), [pod(0), pod(1)]), []);
});

test("a parallel set starts all at once and stops all at once", () => {
  const parallel = (replicas: number) => set(replicas, { podManagementPolicy: "Parallel" });
  assert.deepEqual(plan(parallel(2), []), ["create 0 at r1", "create 1 at r1"]);
  assert.deepEqual(plan(parallel(0), [pod(0), pod(1)]), ["delete db-1", "delete db-0"]);
});

test("scaling down takes the highest ordinal and waits for its end", () => {
  assert.deepEqual(plan(set(1), [pod(0), pod(1), pod(2)]), ["delete db-2"]);
  assert.deepEqual(plan(set(1), [pod(0), pod(1), pod(2, { terminating: true })]), []);
});

test("scaling down halts at a pod that is not ready, unless it alone ails the set", () => {
  const ailing = { ready: false };
  assert.deepEqual(plan(set(0), [pod(0, ailing), pod(1, ailing), pod(2, ailing)]), []);
  assert.deepEqual(plan(set(0), [pod(0), pod(1, ailing), pod(2)]), ["delete db-2"]);
  assert.deepEqual(plan(set(0), [pod(0), pod(1, ailing)]), ["delete db-1"]);
  assert.deepEqual(plan(set(0), [pod(0, ailing)]), ["delete db-0"]);
});

test("a failed pod makes room for its successor", () => {
  assert.deepEqual(plan(set(1), [pod(0, { phase: "Failed" })]), ["delete db-0"]);
});

test("an update goes from the highest ordinal down and waits for health", () => {
  assert.deepEqual(plan(set(3), [pod(0), pod(1), pod(2)], "r2"), ["delete db-2"]);
  assert.deepEqual(plan(set(3), [pod(0), pod(1)], "r2"), ["create 2 at r2"]);
  const waiting = [pod(0), pod(1), pod(2, { revision: "r2", ready: false })];
  assert.deepEqual(plan(set(3), waiting, "r2"), []);
  assert.deepEqual(plan(set(3), [pod(0), pod(1), pod(2, { revision: "r2" })], "r2"), [
    "delete db-1",
  ]);
});

test("a partition keeps lower ordinals at the current revision", () => {
  const canary = set(3, { updateStrategy: { rollingUpdate: { partition: 2 } } });
  assert.deepEqual(plan(canary, [pod(0), pod(1), pod(2, { revision: "r2" })], "r2"), []);
  assert.deepEqual(plan(canary, [pod(1), pod(2, { revision: "r2" })], "r2"), ["create 0 at r1"]);
});

test("OnDelete replaces a pod only after somebody deleted it", () => {
  const manual = set(2, { updateStrategy: { type: "OnDelete" } });
  assert.deepEqual(plan(manual, [pod(0), pod(1)], "r2"), []);
  assert.deepEqual(plan(manual, [pod(0)], "r2"), ["create 1 at r2"]);
});

test("a finished rollout makes the update revision the current one", () => {
  const done = [pod(0, { revision: "r2" }), pod(1, { revision: "r2" })];
  const { status } = statefulSetStatus(set(2), observed(done, "r2"));
  assert.equal(status.currentRevision, "r2");
  assert.deepEqual(
    [status.currentReplicas, status.updatedReplicas, status.readyReplicas],
    [2, 2, 2],
  );
  const half = statefulSetStatus(set(2), observed([pod(0), pod(1, { revision: "r2" })], "r2"));
  assert.equal(half.status.currentRevision, "r1");
  assert.deepEqual([half.status.currentReplicas, half.status.updatedReplicas], [1, 1]);
});

test("a rollout has ended when as many pods as wanted are new and ready, whatever the partition", () => {
  const updated = [pod(0, { revision: "r2" }), pod(1, { revision: "r2" })];
  const current = (wanted: StatefulSet, pods: Pod[]) =>
    statefulSetStatus(wanted, observed(pods, "r2")).status.currentRevision;
  assert.equal(current(set(3), updated), "r1", "one is to come");
  assert.equal(current(set(1), []), "r1", "none is there");
  assert.equal(current(set(0), []), "r2");
  const canary = set(2, { updateStrategy: { rollingUpdate: { partition: 1 } } });
  assert.equal(current(canary, updated), "r2");
  assert.equal(current(set(2, { updateStrategy: { type: "OnDelete" } }), updated), "r1");
});

test("a pod keeps its name, its place in DNS and its volumes", () => {
  const stored = set(1, { volumeClaimTemplates: [{ metadata: { name: "data" } }] });
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "s" };
  const made = statefulPod(stored, { ordinal: 2, owner, revision: revision("r1") });
  assert.equal(made.metadata?.name, "db-2");
  assert.equal(ordinalOf(stored, made), 2);
  assert.equal(made.spec?.hostname, "db-2");
  assert.equal(made.spec?.subdomain, "db");
  assert.equal(made.spec?.volumes?.[0]?.persistentVolumeClaim?.claimName, "data-db-2");
  assert.equal(claimsOf(stored, 2)[0]?.metadata?.name, "data-db-2");
});
