import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { ProfileTable } from "./pod-profile.ts";

const containers = [{ name: "c", image: "a", resources: { requests: { cpu: "1" } } }];
const labels = { app: "a" };
const first: Pod = { metadata: { name: "a-0", namespace: "n", labels }, spec: { containers } };

/** The same parts in another pod, but for some. */
function like(metadata: Pod["metadata"], spec: Partial<Pod["spec"]> = {}): Pod {
  return {
    metadata: { ...first.metadata, name: "a-1", ...metadata },
    spec: { containers, ...spec },
  };
}

test("pods that share their parts share a profile, as do pods whose parts are equal", () => {
  const table = new ProfileTable();
  const profile = table.profileOf(first);
  assert.equal(table.profileOf(like({})), profile);
  assert.equal(table.profileOf(structuredClone(first)), profile);
});

const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "r", controller: true };
const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "claim" } }];
const OTHERS: readonly { title: string; pod: Pod }[] = [
  { title: "namespace", pod: like({ namespace: "m" }) },
  { title: "labels", pod: like({ labels: { app: "b" } }) },
  { title: "owner", pod: like({ ownerReferences: [owner] }) },
  { title: "priority", pod: like({}, { priority: 7 }) },
  { title: "preemption policy", pod: like({}, { preemptionPolicy: "Never" }) },
  { title: "node", pod: like({}, { nodeName: "n1" }) },
  { title: "node selector", pod: like({}, { nodeSelector: { a: "b" } }) },
  { title: "tolerations", pod: like({}, { tolerations: [{ operator: "Exists" }] }) },
  { title: "affinity", pod: like({}, { affinity: { podAffinity: {} } }) },
  { title: "overhead", pod: like({}, { overhead: { cpu: "1" } }) },
  { title: "resources", pod: like({}, { resources: { requests: { cpu: "2" } } }) },
  { title: "containers", pod: like({}, { containers: [{ name: "c", image: "b" }] }) },
  { title: "init containers", pod: like({}, { initContainers: containers }) },
  { title: "volumes", pod: like({}, { volumes }) },
];

for (const { title, pod } of OTHERS) {
  test(`a pod with another ${title} has another profile`, () => {
    const table = new ProfileTable();
    const profile = table.profileOf(first);
    assert.notEqual(table.profileOf(pod), profile);
    assert.equal(table.profileOf(first), profile);
  });
}

test("each pod has its own ephemeral claims, though all say the same of them", () => {
  const table = new ProfileTable();
  const spec = { volumes: [{ name: "v", ephemeral: {} }] };
  assert.deepEqual(table.profileOf(like({ name: "a" }, spec)).claims, ["a-v"]);
  assert.deepEqual(table.profileOf(like({ name: "b" }, spec)).claims, ["b-v"]);
});
