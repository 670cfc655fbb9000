import assert from "node:assert/strict";
import { test } from "node:test";
import { PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS } from "../../api/generated/resources.ts";
import type { StatefulSet } from "../../api/generated/types/apps-v1.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { startControllerBench } from "../controller-bench.ts";
import { claimOwners, isLeaving } from "./claim-retention.ts";
import { statefulSetController } from "./stateful-set-controller.ts";

type Then = "Delete" | "Retain";

function setOf(whenDeleted: Then, whenScaled: Then): StatefulSet {
  return {
    metadata: { name: "db", namespace: "default", uid: "set" },
    spec: {
      replicas: 2,
      serviceName: "db",
      podManagementPolicy: "Parallel",
      persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [] } },
      volumeClaimTemplates: [{ metadata: { name: "data" } }],
    },
  };
}
const podOf = (ordinal: number) => ({ metadata: { name: `db-${ordinal}`, uid: `pod${ordinal}` } });
const claimWith = (...ownerReferences: OwnerReference[]) => ({
  metadata: { name: "data-db-0", ...(ownerReferences.length > 0 ? { ownerReferences } : {}) },
});
const other = { apiVersion: "v1", kind: "ConfigMap", name: "other", uid: "other" };

const OWNERS: [whenDeleted: Then, whenScaled: Then, inRange: string, surplus: string][] = [
  ["Retain", "Retain", "", ""],
  ["Delete", "Retain", "set", "set"],
  ["Retain", "Delete", "", "pod5"],
  ["Delete", "Delete", "set", "pod5"],
];
for (const [whenDeleted, whenScaled, inRange, surplus] of OWNERS) {
  test(`claims when deleted: ${whenDeleted}, when scaled: ${whenScaled}`, () => {
    const set = setOf(whenDeleted, whenScaled);
    for (const [ordinal, wanted] of [
      [1, inRange],
      [5, surplus],
    ] as const) {
      const pod = podOf(ordinal);
      const found = claimOwners(set, { claim: claimWith(other), pod }) ?? [other];
      assert.deepEqual(
        found.map(({ uid }) => uid),
        ["other", ...(wanted ? [wanted] : [])],
      );
      const claim = claimWith(...found);
      assert.equal(claimOwners(set, { claim, pod }), undefined, "it has them");
      const back = claimOwners(setOf("Retain", "Retain"), { claim, pod });
      assert.deepEqual(back, wanted ? [other] : undefined, "and loses them again");
    }
  });
}

test("a claim that somebody else controls gets no other owner, and loses ours", () => {
  const foreign = { ...other, controller: true };
  const set = setOf("Delete", "Delete");
  assert.equal(claimOwners(set, { claim: claimWith(foreign), pod: podOf(0) }), undefined);
  const ours = { ...other, uid: "set" };
  const claim = claimWith(foreign, ours);
  assert.deepEqual(claimOwners(set, { claim, pod: podOf(0) }), [foreign]);
});

test("a claim that goes with a pod of that name, or by itself, is not used anew", () => {
  const ofPod = { apiVersion: "v1", kind: "Pod", name: "db-0", uid: "gone" };
  assert.ok(isLeaving(claimWith(ofPod), "db-0"));
  assert.ok(!isLeaving(claimWith(ofPod), "db-1"));
  assert.ok(isLeaving({ metadata: { deletionTimestamp: "2030-01-01T00:00:00Z" } }, "db-0"));
});

test("claims get their owners with the policy, before pods go, and a pod waits for a new one", async () => {
  await using bench = startControllerBench(statefulSetController());
  const { client } = bench;
  const owners = async () => {
    const { items } = await client.for(PERSISTENT_VOLUME_CLAIMS).list({ namespace: "default" });
    return items.map(({ metadata }) => [
      metadata?.name,
      metadata?.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`).join() ?? "",
    ]);
  };
  const db = { name: "db", namespace: "default" };
  await client.for(STATEFUL_SETS).create(setOf("Delete", "Delete"));
  await bench.settle();
  const ofSet = "StatefulSet db";
  assert.deepEqual(await owners(), [
    ["data-db-0", ofSet],
    ["data-db-1", ofSet],
  ]);
  const run = { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } };
  for (const name of ["db-0", "db-1"]) {
    await client.for(PODS).patch({ ...db, name }, run, { subresource: "status" });
  }
  await bench.settle();
  await client.for(STATEFUL_SETS).patch(db, { spec: { replicas: 1 } });
  await bench.settle();
  assert.deepEqual(await owners(), [
    ["data-db-0", ofSet],
    ["data-db-1", "Pod db-1"],
  ]);
  const pods = async () =>
    (await client.for(PODS).list({ namespace: "default" })).items.map((pod) => pod.metadata?.name);
  assert.deepEqual(await pods(), ["db-0"]);
  await client.for(STATEFUL_SETS).patch(db, { spec: { replicas: 2 } });
  await bench.settle();
  assert.deepEqual(await pods(), ["db-0"], "the old claim is still there");
  await client.for(PERSISTENT_VOLUME_CLAIMS).delete({ ...db, name: "data-db-1" });
  await bench.settle();
  assert.deepEqual(new Set(await pods()), new Set(["db-0", "db-1"]));
  const policy = { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain" as const } };
  await client.for(STATEFUL_SETS).patch(db, { spec: policy });
  await bench.settle();
  assert.deepEqual(await owners(), [
    ["data-db-0", ""],
    ["data-db-1", ""],
  ]);
  assert.deepEqual(await bench.settle(3_600_000), []);
});
