import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { isConflict } from "../../api/errors.ts";
import { BUILT_IN_RESOURCES } from "../../api/generated/resources.ts";
import { apiVersionOf, type Resource } from "../../api/resource.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { builtInAdmission } from "../admission/built-in-admission.ts";
import { type ServerFixture, startServer } from "../api-server-fixture.ts";
import { createAuthorizer } from "../authorization/authorization.ts";
import { deepFreeze, type KubeObject } from "../kube-object.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";

type Fields = Record<string, unknown>;

const LABELS = { app: "web" };
const POD = { containers: [{ name: "web", image: "web:1", ports: [{ containerPort: 80 }] }] };
const TEMPLATE = { metadata: { labels: LABELS }, spec: POD };
const WORKLOAD = { selector: { matchLabels: LABELS }, template: TEMPLATE };
const JOB = { template: { spec: { ...POD, restartPolicy: "Never" } } };
const TARGET = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const ROLE_REF = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "admin" };
const RULES = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
const SUBJECT = { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "jane" };
const ABOUT = { namespace: "default", kind: "Pod", name: "web" };
const HOOK = {
  name: "hook.example.com",
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  clientConfig: { url: "https://hook.example.com" },
  rules: [{ operations: ["CREATE"], apiGroups: ["a.b"], apiVersions: ["v1"], resources: ["cs"] }],
};
/** Of an Ed25519 key that nobody has, for the name "jane". */
const CERTIFICATE_REQUEST = `-----BEGIN CERTIFICATE REQUEST-----
MIGOMEICAQAwDzENMAsGA1UEAwwEamFuZTAqMAUGAytlcAMhAPHXwQRhafRVB27h
c95Klg6c/TG+mhWgqw8TwSq2OO7joAAwBQYDK2VwA0EA91qzOYdvueRswR+XeYgp
JV7rb5RW/j9ZgjWDCloJBaEPxrH6bSO/uYUP7r3H3QMRPA4K6I93xXRNqetfGROH
AA==
-----END CERTIFICATE REQUEST-----
`;
const CLAIM = {
  accessModes: ["ReadWriteOnce"],
  resources: { requests: { storage: "1Gi" } },
};

/** What makes an object of each kind that can be written twice a valid one. */
const SAMPLES: Readonly<Record<string, Fields>> = {
  "v1 PersistentVolume": {
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      hostPath: { path: "/d" },
    },
  },
  "v1 PersistentVolumeClaim": { spec: CLAIM },
  "v1 Pod": { spec: POD },
  "v1 PodTemplate": { template: TEMPLATE },
  "v1 ReplicationController": { spec: { selector: LABELS, template: TEMPLATE } },
  "v1 Service": { spec: { selector: LABELS, ports: [{ port: 80 }] } },
  "v1 ServiceAccount": {},
  "v1 Endpoints": { subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 80 }] }] },
  "v1 Node": { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } },
  "v1 Namespace": {},
  "v1 Event": { involvedObject: ABOUT, reason: "Seen", type: "Normal" },
  "v1 LimitRange": { spec: { limits: [{ type: "Container", default: { cpu: "1" } }] } },
  "v1 ResourceQuota": { spec: { hard: { pods: "10" } } },
  "v1 Secret": { stringData: { a: "b" } },
  "v1 ConfigMap": { data: { a: "b" } },
  "events.k8s.io/v1 Event": {
    eventTime: "2026-01-01T00:00:00.000000Z",
    type: "Normal",
    reason: "Seen",
    action: "See",
    regarding: ABOUT,
    reportingController: "example.com/c",
    reportingInstance: "c-1",
  },
  "autoscaling/v2 HorizontalPodAutoscaler": { spec: { scaleTargetRef: TARGET, maxReplicas: 3 } },
  "autoscaling/v1 HorizontalPodAutoscaler": { spec: { scaleTargetRef: TARGET, maxReplicas: 3 } },
  "batch/v1 Job": { spec: JOB },
  "batch/v1 CronJob": { spec: { schedule: "* * * * *", jobTemplate: { spec: JOB } } },
  "certificates.k8s.io/v1 CertificateSigningRequest": {
    spec: {
      signerName: "example.com/s",
      usages: ["client auth"],
      request: Buffer.from(CERTIFICATE_REQUEST).toString("base64"),
    },
  },
  "networking.k8s.io/v1 NetworkPolicy": { spec: { podSelector: {} } },
  "networking.k8s.io/v1 Ingress": {
    spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
  },
  "networking.k8s.io/v1 IngressClass": { spec: { controller: "example.com/c" } },
  "policy/v1 PodDisruptionBudget": { spec: { maxUnavailable: 1, selector: WORKLOAD.selector } },
  "rbac.authorization.k8s.io/v1 Role": { rules: RULES },
  "rbac.authorization.k8s.io/v1 RoleBinding": { roleRef: ROLE_REF, subjects: [SUBJECT] },
  "rbac.authorization.k8s.io/v1 ClusterRole": { rules: RULES },
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": {
    roleRef: { ...ROLE_REF, kind: "ClusterRole" },
    subjects: [SUBJECT],
  },
  "storage.k8s.io/v1 StorageClass": { provisioner: "example.com/p" },
  "storage.k8s.io/v1 VolumeAttachment": {
    spec: { attacher: "example.com", nodeName: "n", source: { persistentVolumeName: "v" } },
  },
  "storage.k8s.io/v1 CSIDriver": { spec: {} },
  "storage.k8s.io/v1 CSINode": { spec: { drivers: [] } },
  "storage.k8s.io/v1 CSIStorageCapacity": { storageClassName: "fast", capacity: "1Gi" },
  "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy": {
    spec: {
      matchConstraints: { resourceRules: HOOK.rules },
      validations: [{ expression: "true" }],
    },
  },
  "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding": {
    spec: { policyName: "p", validationActions: ["Deny"] },
  },
  "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration": { webhooks: [HOOK] },
  "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration": { webhooks: [HOOK] },
  "scheduling.k8s.io/v1 PriorityClass": { value: 5 },
  "coordination.k8s.io/v1 Lease": { spec: { holderIdentity: "a", leaseDurationSeconds: 15 } },
  "node.k8s.io/v1 RuntimeClass": { handler: "crun" },
  "discovery.k8s.io/v1 EndpointSlice": {
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"] }],
    ports: [{ port: 80 }],
  },
  "flowcontrol.apiserver.k8s.io/v1 FlowSchema": {
    spec: { priorityLevelConfiguration: { name: "web" }, matchingPrecedence: 100 },
  },
  "flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration": {
    spec: { type: "Limited", limited: { limitResponse: { type: "Reject" } } },
  },
  "apps/v1 StatefulSet": {
    spec: {
      ...WORKLOAD,
      serviceName: "web",
      volumeClaimTemplates: [{ metadata: { name: "data" }, spec: CLAIM }],
    },
  },
  "apps/v1 Deployment": { spec: WORKLOAD },
  "apps/v1 DaemonSet": { spec: WORKLOAD },
  "apps/v1 ReplicaSet": { spec: WORKLOAD },
  "apps/v1 ControllerRevision": { revision: 1, data: { spec: { a: "b" } } },
  "apiextensions.k8s.io/v1 CustomResourceDefinition": {
    metadata: { name: "crons.example.com" },
    spec: {
      group: "example.com",
      names: { plural: "crons", kind: "Cron" },
      scope: "Namespaced",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
          },
          subresources: { status: {} },
        },
      ],
    },
  },
  "apiregistration.k8s.io/v1 APIService": {
    metadata: { name: "v1.far.example.com" },
    spec: { group: "far.example.com", version: "v1", groupPriorityMinimum: 1, versionPriority: 1 },
  },
};
const nameOf = (resource: Resource): string => `${apiVersionOf(resource)} ${resource.kind}`;
const isUpdatable = ({ verbs }: Resource): boolean => !verbs || verbs.includes("update");

/** A server with every built-in plugin, all of whose states are frozen as soon as they are seen. */
async function startFrozenServer(): Promise<ServerFixture> {
  const { glance, exactGlance } = CachedObject.prototype;
  const frozen = (read: () => KubeObject) =>
    function (this: CachedObject): KubeObject {
      return deepFreeze(read.call(this));
    };
  const mocks = [
    mock.method(CachedObject.prototype, "glance", frozen(glance)),
    mock.method(CachedObject.prototype, "exactGlance", frozen(exactGlance)),
  ];
  const sources = { clock: new VirtualClock(), random: seededRandom(1) };
  const fixture = await startServer({
    security: (reader) => {
      const authorizer = createAuthorizer(reader);
      const admission = builtInAdmission({ ...sources, reader, authorizer });
      return { authenticators: [], authorizer, admission };
    },
  });
  return {
    ...fixture,
    [Symbol.asyncDispose]: async () => {
      await fixture[Symbol.asyncDispose]();
      for (const { mock: one } of mocks) one.restore();
    },
  };
}

/** PUT of what is there, as often as the server itself interferes. */
async function putBack(api: ServerFixture, path: string, metadata: Fields = {}): Promise<void> {
  for (;;) {
    const known = await api.ask("GET", path);
    try {
      await api.ask("PUT", path, { ...known, metadata: { ...known.metadata, ...metadata } });
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

/** Writes an object in every way there is, and removes it in two steps. */
async function writeEveryWay(api: ServerFixture, resource: Resource): Promise<void> {
  const sample = SAMPLES[nameOf(resource)] ?? {};
  const root = resource.group ? `/apis/${apiVersionOf(resource)}` : "/api/v1";
  const all = `${root}/${resource.namespaced ? "namespaces/default/" : ""}${resource.plural}`;
  const { name = "sample" } = (sample["metadata"] ?? {}) as { name?: string };
  const path = `${all}/${name}`;
  const finalizers = ["example.com/keep"];
  const metadata = { name, finalizers, annotations: { step: "create" } };
  await api.ask("POST", all, { ...sample, metadata });
  const step = (text: string) => ({ metadata: { annotations: { step: text } } });
  await putBack(api, path, { labels: LABELS });
  await api.patch(path, { body: step("merge"), type: "merge-patch+json" });
  await api.patch(path, { body: step("strategic"), type: "strategic-merge-patch+json" });
  const replace = [{ op: "replace", path: "/metadata/annotations/step", value: "json" }];
  await api.patch(path, { body: replace, type: "json-patch+json" });
  const applied = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...step("apply") };
  await api.patch(`${path}?fieldManager=test&force=true`, {
    body: applied,
    type: "apply-patch+yaml",
  });
  await putBack(api, path);
  for (const subresource of ["status", "scale", "approval"]) {
    if (!resource.subresources?.includes(subresource)) continue;
    await putBack(api, `${path}/${subresource}`);
    await api.patch(`${path}/${subresource}`, {
      body: step(subresource),
      type: "merge-patch+json",
    });
  }
  await api.ask("DELETE", path);
  const released = { metadata: { finalizers: null } };
  await api.patch(path, { body: released, type: "merge-patch+json" });
}

test("every kind that can be written has a sample", () => {
  const kinds = BUILT_IN_RESOURCES.filter(isUpdatable).map(nameOf);
  assert.deepEqual(Object.keys(SAMPLES).sort(), kinds.sort());
});

test("no write changes the state that it rests on", async (t) => {
  await using api = await startFrozenServer();
  await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const account = { metadata: { name: "default" } };
  await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", account);
  for (const resource of BUILT_IN_RESOURCES) {
    if (!isUpdatable(resource)) continue;
    await t.test(nameOf(resource), () => writeEveryWay(api, resource));
  }
});
