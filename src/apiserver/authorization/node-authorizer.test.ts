import assert from "node:assert/strict";
import { test } from "node:test";
import { PERSISTENT_VOLUMES, PODS, VOLUME_ATTACHMENTS } from "../../api/generated/resources.ts";
import type { AccessRequest, UserInfo } from "../contract.ts";
import { createAuthorizer } from "./authorization.ts";
import { memoryReader } from "./memory-reader.ts";

const MIRROR = "kubernetes.io/config.mirror";
const NODE: UserInfo = { name: "system:node:n1", groups: ["system:nodes"] };

function nodeCluster() {
  const reader = memoryReader();
  reader.put(PODS, {
    metadata: { name: "web", namespace: "a", uid: "1" },
    spec: {
      nodeName: "n1",
      serviceAccountName: "bot",
      containers: [
        { name: "c", env: [{ name: "X", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] },
      ],
      volumes: [
        { name: "v", projected: { sources: [{ configMap: { name: "cm" } }] } },
        { name: "p", persistentVolumeClaim: { claimName: "claim" } },
      ],
    },
  });
  reader.put(PODS, {
    metadata: { name: "db", namespace: "a", uid: "2" },
    spec: { nodeName: "n2", containers: [], volumes: [{ name: "v", secret: { secretName: "t" } }] },
  });
  reader.put(PODS, {
    metadata: { name: "mirror", namespace: "a", annotations: { [MIRROR]: "x" } },
    spec: {
      nodeName: "n1",
      serviceAccountName: "strong",
      containers: [],
      volumes: [{ name: "v", secret: { secretName: "mirrored" } }],
    },
  });
  const of = { driver: "far.example.com", volumeHandle: "1" };
  for (const [name, claim] of [
    ["pv-1", "claim"],
    ["pv-2", "other"],
  ] as const) {
    reader.put(PERSISTENT_VOLUMES, {
      metadata: { name },
      spec: {
        claimRef: { namespace: "a", name: claim },
        csi: {
          ...of,
          nodeStageSecretRef: { namespace: "keys", name: `stage-${name}` },
          controllerPublishSecretRef: { namespace: "keys", name: `attach-${name}` },
        },
      },
    });
  }
  for (const nodeName of ["n1", "n2"]) {
    reader.put(VOLUME_ATTACHMENTS, {
      metadata: { name: `attached-${nodeName}` },
      spec: { attacher: "far.example.com", nodeName, source: {} },
    });
  }
  for (const node of ["n1", "n2"]) {
    const key = "kubernetes.io/hostname";
    const terms = [{ matchExpressions: [{ key, operator: "In" as const, values: [node] }] }];
    reader.put(PERSISTENT_VOLUMES, {
      metadata: { name: `local-${node}` },
      spec: {
        csi: { driver: "local.nephos.dev", volumeHandle: `local-${node}` },
        nodeAffinity: { required: { nodeSelectorTerms: terms } },
      },
    });
  }
  const authorizer = createAuthorizer(reader);
  return (verb: string, resource: string, name = "", more: Partial<AccessRequest> = {}) =>
    authorizer.authorize({ user: NODE, verb, group: "", resource, namespace: "a", name, ...more })
      .allowed;
}

test("a node reads what its own pods refer to and nothing else", () => {
  const may = nodeCluster();
  assert.equal(may("get", "secrets", "s"), true);
  assert.equal(may("get", "secrets", "t"), false);
  assert.equal(may("list", "secrets"), false);
  assert.equal(may("delete", "secrets", "s"), false);
  assert.equal(may("watch", "configmaps", "cm"), true);
  assert.equal(may("get", "configmaps", "s"), false);
  assert.equal(may("get", "persistentvolumeclaims", "claim"), true);
  assert.equal(may("get", "persistentvolumes", "pv-1", { namespace: "" }), true);
  assert.equal(may("get", "persistentvolumes", "pv-2", { namespace: "" }), false);
  assert.equal(may("patch", "persistentvolumes", "pv-1", { namespace: "" }), false);
  assert.equal(may("patch", "persistentvolumes", "local-n1", { namespace: "" }), true);
  assert.equal(may("watch", "persistentvolumes", "local-n2", { namespace: "" }), false);
  assert.equal(may("create", "serviceaccounts", "bot", { subresource: "token" }), true);
  assert.equal(may("create", "serviceaccounts", "default", { subresource: "token" }), false);
  assert.equal(may("get", "serviceaccounts", "bot"), false);
  assert.equal(may("patch", "pods", "web", { subresource: "status" }), true);
  assert.equal(may("create", "deployments", "x", { group: "apps" }), false);
});

test("a node reads its own pods, one by one or by a selector", () => {
  const may = nodeCluster();
  assert.equal(may("get", "pods", "web"), true);
  assert.equal(may("get", "pods", "db"), false);
  assert.equal(may("get", "pods", "gone"), false, "that there is none is none of its business");
  assert.equal(may("watch", "pods", "web"), true);
  assert.equal(may("watch", "pods", "db"), false);
  for (const verb of ["list", "watch"]) {
    assert.equal(may(verb, "pods"), false);
    const where = (fieldSelector: string) => may(verb, "pods", "", { fieldSelector });
    assert.equal(where("status.phase=Running,spec.nodeName=n1"), true);
    assert.equal(where("spec.nodeName=n2"), false);
    assert.equal(where("spec.nodeName!=n1"), false);
  }
});

test("a node reads its own Node only, before there is one too", () => {
  const may = nodeCluster();
  for (const verb of ["get", "list", "watch"]) {
    assert.equal(may(verb, "nodes", "n1", { namespace: "" }), true, verb);
    assert.equal(may(verb, "nodes", "n2", { namespace: "" }), false, verb);
    assert.equal(may(verb, "nodes", "", { namespace: "" }), false, verb);
  }
  assert.equal(may("create", "nodes"), true, "its name is looked at in admission");
  assert.equal(may("patch", "nodes", "n1", { subresource: "status" }), true);
  assert.equal(may("delete", "nodes", "n1"), false);
  assert.equal(may("get", "nodes", "n1", { subresource: "proxy" }), false);
  const authorizer = createAuthorizer(memoryReader());
  const list = { user: NODE, verb: "list", group: "", resource: "nodes" };
  assert.equal(
    authorizer.authorize(list).reason,
    "node 'n1' cannot read all nodes, only its own Node object",
  );
});

test("a node reads no Service's endpoints: its network does, as kube-proxy", () => {
  const may = nodeCluster();
  assert.equal(may("list", "services"), true);
  assert.equal(may("list", "endpoints"), false);
  assert.equal(may("list", "endpointslices", "", { group: "discovery.k8s.io" }), false);
  assert.equal(may("list", "namespaces"), false);
});

test("a mirror pod opens nothing to its node", () => {
  const may = nodeCluster();
  assert.equal(may("get", "pods", "mirror"), true);
  assert.equal(may("get", "secrets", "mirrored"), false);
  assert.equal(may("create", "serviceaccounts", "strong", { subresource: "token" }), false);
});

test("a node reads the Secrets with which its pods' volumes are mounted", () => {
  const may = nodeCluster();
  assert.equal(may("get", "secrets", "stage-pv-1", { namespace: "keys" }), true);
  assert.equal(may("get", "secrets", "stage-pv-1"), false, "in another namespace");
  assert.equal(may("get", "secrets", "stage-pv-2", { namespace: "keys" }), false);
  assert.equal(may("get", "secrets", "attach-pv-1", { namespace: "keys" }), false);
});

test("a node reads attachments to itself, and slices by its name", () => {
  const may = nodeCluster();
  const storage = { group: "storage.k8s.io", namespace: "" };
  assert.equal(may("get", "volumeattachments", "attached-n1", storage), true);
  assert.equal(may("get", "volumeattachments", "attached-n2", storage), false);
  assert.equal(may("list", "volumeattachments", "", storage), false);
  assert.equal(may("update", "csinodes", "n1", storage), true);
  assert.equal(may("update", "csinodes", "n2", storage), false);
  assert.equal(may("list", "csinodes", "", storage), false);
  const slices = { group: "resource.k8s.io", namespace: "" };
  const own = { ...slices, fieldSelector: "nodeName=n1" };
  assert.equal(may("create", "resourceslices", "", slices), true);
  assert.equal(may("list", "resourceslices", "", slices), false);
  assert.equal(may("list", "resourceslices", "", own), true);
});

test("a node writes the status of its pods' claims only", () => {
  const may = nodeCluster();
  const status = { subresource: "status" };
  assert.equal(may("patch", "persistentvolumeclaims", "claim", status), true);
  assert.equal(may("patch", "persistentvolumeclaims", "other", status), false);
  assert.equal(may("get", "persistentvolumeclaims", "claim", status), false);
});

test("a node renews its own Lease only", () => {
  const may = nodeCluster();
  const lease = { group: "coordination.k8s.io", namespace: "kube-node-lease" };
  assert.equal(may("update", "leases", "n1", lease), true);
  assert.equal(may("update", "leases", "n2", lease), false);
  assert.equal(may("update", "leases", "n1", { ...lease, namespace: "a" }), false);
});
