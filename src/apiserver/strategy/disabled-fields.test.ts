import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DEPLOYMENTS,
  LEASES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  STATEFUL_SETS,
} from "../../api/generated/resources.ts";
import type { Resource } from "../../api/resource.ts";
import type { KubeObject } from "../kube-object.ts";
import { builtInStrategy } from "./built-in-strategies.ts";

const CONTEXT = { user: { name: "me", groups: [] }, nowMs: 0 };

const POD_WITH_ALL = {
  resources: { limits: { cpu: "1" } },
  resourceClaims: [{ name: "gpu", resourceClaimName: "gpu" }],
  containers: [{ name: "c", image: "a", resources: { claims: [{ name: "gpu" }] } }],
  securityContext: {
    runAsUser: 1,
    supplementalGroupsPolicy: "Strict",
    seLinuxChangePolicy: "Recursive",
  },
  volumes: [
    { name: "v", projected: { sources: [{ clusterTrustBundle: { path: "ca", name: "b" } }] } },
  ],
};
const POD_WITHOUT = {
  containers: [{ name: "c", image: "a", resources: {} }],
  securityContext: { runAsUser: 1 },
  volumes: [{ name: "v", projected: { sources: [{}] } }],
};

const objectOf = (spec: unknown) =>
  structuredClone({ metadata: { name: "x" }, spec }) as KubeObject;
const templateOf = (spec: unknown) => ({ template: { spec } });

function specAfter(resource: Resource, spec: unknown, old?: unknown): unknown {
  const strategy = builtInStrategy(resource);
  const object = objectOf(spec);
  if (old === undefined) strategy.prepareCreate?.(object, CONTEXT);
  else strategy.prepareUpdate?.(object, objectOf(old), CONTEXT);
  return object["spec"];
}

test("a pod and the pods of a template lose the fields that are off", () => {
  assert.deepEqual(specAfter(PODS, POD_WITH_ALL), POD_WITHOUT);
  assert.deepEqual(specAfter(DEPLOYMENTS, templateOf(POD_WITH_ALL)), templateOf(POD_WITHOUT));
  const updated = specAfter(DEPLOYMENTS, templateOf(POD_WITH_ALL), templateOf(POD_WITHOUT));
  assert.deepEqual(updated, templateOf(POD_WITHOUT));
});

test("what an object had before stays, field by field", () => {
  const old = { ...POD_WITHOUT, resources: {} };
  const expected = { ...POD_WITHOUT, resources: POD_WITH_ALL.resources };
  const updated = specAfter(DEPLOYMENTS, templateOf(POD_WITH_ALL), templateOf(old));
  assert.deepEqual(updated, templateOf(expected));
});

test("a StatefulSet keeps maxUnavailable only if it had it", () => {
  const set = (rollingUpdate: object) => ({ updateStrategy: { rollingUpdate } });
  const both = set({ partition: 1, maxUnavailable: 2 });
  assert.deepEqual(specAfter(STATEFUL_SETS, both), set({ partition: 1 }));
  assert.deepEqual(specAfter(STATEFUL_SETS, both, set({})), set({ partition: 1 }));
  assert.deepEqual(specAfter(STATEFUL_SETS, both, set({ maxUnavailable: 1 })), both);
});

test("a claim has no class of attributes and no source in another namespace", () => {
  const here = { kind: "PersistentVolumeClaim", name: "a" };
  const claim = { volumeAttributesClassName: "fast", dataSourceRef: { ...here, namespace: "b" } };
  assert.deepEqual(specAfter(PERSISTENT_VOLUME_CLAIMS, claim), {});
  assert.deepEqual(specAfter(PERSISTENT_VOLUME_CLAIMS, claim, claim), claim);
  assert.deepEqual(specAfter(PERSISTENT_VOLUME_CLAIMS, { dataSourceRef: here }), {
    dataSource: here,
    dataSourceRef: here,
  });
});

test("a Lease has no strategy of election, a volume no class of attributes", () => {
  const lease = { holderIdentity: "a", preferredHolder: "b", strategy: "OldestEmulationVersion" };
  assert.deepEqual(specAfter(LEASES, lease), { holderIdentity: "a" });
  assert.deepEqual(specAfter(LEASES, lease, { strategy: "x" }), {
    holderIdentity: "a",
    strategy: "OldestEmulationVersion",
  });
  const volume = { capacity: { storage: "1Gi" }, volumeAttributesClassName: "fast" };
  assert.deepEqual(specAfter(PERSISTENT_VOLUMES, volume), { capacity: { storage: "1Gi" } });
});

test("a status loses the fields that are off, too", () => {
  const statusAfter = (resource: Resource, status: object, old: object) => {
    const object = { ...objectOf({}), status: { ...status } };
    const before = { ...objectOf({}), status: { ...old } };
    builtInStrategy(resource).prepareStatus?.(object, before, CONTEXT);
    return object["status"];
  };
  const claim = { phase: "Bound", currentVolumeAttributesClassName: "a", modifyVolumeStatus: {} };
  assert.deepEqual(statusAfter(PERSISTENT_VOLUME_CLAIMS, claim, {}), { phase: "Bound" });
  assert.deepEqual(statusAfter(PERSISTENT_VOLUME_CLAIMS, claim, claim), claim);
  const features = { supplementalGroupsPolicy: true };
  assert.deepEqual(statusAfter(NODES, { features, config: {} }, {}), {});
  const node = { ...objectOf({}), status: { features } };
  builtInStrategy(NODES).prepareCreate?.(node, CONTEXT);
  assert.deepEqual(node["status"], {});
});
