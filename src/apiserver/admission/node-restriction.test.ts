import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LEASES,
  NODES,
  PERSISTENT_VOLUMES,
  PODS,
  SERVICE_ACCOUNTS,
} from "../../api/generated/resources.ts";
import type { Node, PersistentVolume, Pod } from "../../api/generated/types/core-v1.ts";
import type { Resource } from "../../api/resource.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import type { UserInfo } from "../contract.ts";
import { admit, fixtureRequest } from "./admission-fixture.ts";
import { nodeRestrictionPlugin } from "./node-restriction.ts";

const NODE: UserInfo = { name: "system:node:n1", groups: ["system:nodes"] };

function cluster() {
  const reader = memoryReader();
  for (const [name, nodeName] of [
    ["mine", "n1"],
    ["other", "n2"],
  ] as const) {
    reader.put(PODS, {
      metadata: { name, namespace: "a", uid: name },
      spec: { nodeName, serviceAccountName: "bot", containers: [] },
    });
  }
  return nodeRestrictionPlugin(reader);
}

type More = Parameters<typeof fixtureRequest>[2];

function write<T>(resource: Resource<T>, object: T, more: More = {}) {
  return admit(cluster(), fixtureRequest<unknown>(resource, object, { user: NODE, ...more }));
}

const node = (more: Partial<Node> = {}): Node => ({ metadata: { name: "n1" }, ...more });

function mirror(more: Partial<Pod> = {}): Pod {
  return {
    metadata: {
      name: "static",
      annotations: { "kubernetes.io/config.mirror": "x" },
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "n1", uid: "1", controller: true }],
    },
    spec: { nodeName: "n1", containers: [] },
    ...more,
  };
}

test("a node writes itself, and only what is its own to say", async () => {
  await write(NODES, node());
  await assert.rejects(write(NODES, { metadata: { name: "n2" } }), {
    message: /node "n1" is not allowed to modify node "n2"/,
  });
  const update = (next: Node, old: Node = node()) =>
    write(NODES, next, { operation: "UPDATE", old });
  const labelled = (label: string) => node({ metadata: { name: "n1", labels: { [label]: "x" } } });
  await update(labelled("kubernetes.io/hostname"));
  await update(labelled("acme.com/rack"));
  await update(labelled("node.kubernetes.io/anything"));
  for (const label of ["node-restriction.kubernetes.io/pci", "kubernetes.io/role", "x.k8s.io/y"]) {
    await assert.rejects(update(labelled(label)), { code: 403 }, label);
  }
  await assert.rejects(update(node({ spec: { taints: [{ key: "k", effect: "NoExecute" }] } })), {
    message: /not allowed to modify taints/,
  });
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "c", uid: "1" };
  await assert.rejects(update(node({ metadata: { name: "n1", ownerReferences: [owner] } })), {
    message: /not allowed to modify ownerReferences/,
  });
});

test("a node creates mirror pods for itself that refer to nothing", async () => {
  await write(PODS, mirror());
  const refused = (pod: Pod, message: RegExp) =>
    assert.rejects(write(PODS, pod), { code: 403, message });
  await refused(
    { metadata: { name: "x" }, spec: { containers: [] } },
    /can only create mirror pods/,
  );
  await refused(mirror({ spec: { nodeName: "n2", containers: [] } }), /set to itself/);
  const volumes = [{ name: "v", secret: { secretName: "s" } }];
  await refused(mirror({ spec: { nodeName: "n1", containers: [], volumes } }), /reference secrets/);
  const resourceClaims = [{ name: "gpu" }];
  await refused(
    mirror({ spec: { nodeName: "n1", containers: [], resourceClaims } }),
    /reference resourceclaims/,
  );
});

test("a node deletes, evicts and reports its own pods", async () => {
  const pod = (name: string, nodeName: string): Pod => ({
    metadata: { name, namespace: "a" },
    spec: { nodeName, containers: [] },
  });
  await write(PODS, pod("mine", "n1"), { operation: "DELETE" });
  await assert.rejects(write(PODS, pod("other", "n2"), { operation: "DELETE" }), { code: 403 });
  await assert.rejects(write(PODS, pod("other", "n2"), { subresource: "eviction" }), { code: 403 });
  await assert.rejects(write(PODS, pod("mine", "n1"), { operation: "UPDATE" }), { code: 403 });
  const status = (old: Pod, next: Pod = old) =>
    write(PODS, next, { operation: "UPDATE", subresource: "status", old });
  await status(pod("mine", "n1"));
  await assert.rejects(status(pod("other", "n2")), { code: 403 });
  const labelled = { ...pod("mine", "n1"), metadata: { name: "mine", labels: { app: "x" } } };
  await assert.rejects(status(pod("mine", "n1"), labelled), { message: /cannot update labels/ });
});

test("a node asks for tokens bound to its own pods", async () => {
  const ask = (boundObjectRef?: object) => {
    const object = { spec: { boundObjectRef } };
    return write(SERVICE_ACCOUNTS, object as object, { subresource: "token", name: "bot" });
  };
  await ask({ kind: "Pod", name: "mine", uid: "mine" });
  await assert.rejects(ask(), { message: /not bound to a pod/ });
  await assert.rejects(ask({ kind: "Pod", name: "other", uid: "other" }), { code: 403 });
  await assert.rejects(ask({ kind: "Pod", name: "mine", uid: "stale" }), { code: 403 });
});

test("a node renews its own lease, and others are not restricted", async () => {
  const lease = (name: string) => ({ metadata: { name } });
  const namespace = "kube-node-lease";
  await write(LEASES, lease("n1"), { namespace });
  await assert.rejects(write(LEASES, lease("n2"), { namespace }), { code: 403 });
  await assert.rejects(write(LEASES, lease("n1")), { code: 403 });
  await write(NODES, { metadata: { name: "n2" } }, { user: { name: "jane", groups: [] } });
});

test("a node changes of a volume only that it holds its data", async () => {
  const volume = (finalizers: string[], path = "/srv"): PersistentVolume => ({
    metadata: { name: "v", finalizers },
    spec: { hostPath: { path } },
  });
  const update = (object: PersistentVolume) =>
    write(PERSISTENT_VOLUMES, object, {
      operation: "UPDATE",
      old: volume(["kubernetes.io/pv-protection"]),
    });
  const [other, own] = ["kubernetes.io/pv-protection", "nephos.dev/local-volume"];
  await update(volume([other, own]));
  await assert.rejects(update(volume([own])), { reason: "Forbidden" });
  await assert.rejects(update(volume([other, own], "/")), { reason: "Forbidden" });
});
