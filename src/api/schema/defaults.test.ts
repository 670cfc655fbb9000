import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../generated/types/core-v1.ts";
import { builtInModel } from "./built-in-model.ts";
import { applyDefaults } from "./defaults.ts";
import type { FieldType } from "./model.ts";

/** What stands where nothing was said of the pods. */
const EMPTY_TEMPLATE = {
  spec: {
    containers: [],
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
  },
};

function defaulted<T extends object>(apiVersion: string, kind: string, object: T): T {
  const [version = "", group = ""] = apiVersion.split("/").reverse();
  const result = structuredClone(object);
  applyDefaults({ group, version, kind }, result);
  const again = structuredClone(result);
  applyDefaults({ group, version, kind }, again);
  assert.deepEqual(again, result, "a second call changes nothing");
  return result;
}

const TEMPLATE = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "c", image: "web" }] },
};

const DEFAULTED_TEMPLATE = {
  metadata: { labels: { app: "web" } },
  spec: {
    containers: [
      {
        name: "c",
        image: "web",
        resources: {},
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
        imagePullPolicy: "Always",
      },
    ],
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
  },
};

test("a negative time to end becomes a second", () => {
  const spec = { containers: [], terminationGracePeriodSeconds: -1 };
  const pod = defaulted<{ spec: { terminationGracePeriodSeconds?: number } }>("v1", "Pod", {
    spec,
  });
  assert.equal(pod.spec.terminationGracePeriodSeconds, 1);
});

test("a pod has its first address in both fields; the older one wins", () => {
  const after = (status: object) => defaulted<{ status: object }>("v1", "Pod", { status }).status;
  const both = { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] };
  assert.deepEqual(after({ podIP: "10.0.0.1" }), both);
  assert.deepEqual(after({ podIPs: [{ ip: "10.0.0.1" }] }), both);
  assert.deepEqual(after({ podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.2" }] }), both);
  assert.deepEqual(after({}), {});
});

test("claims of a stateful set are claims, whatever they are called", () => {
  const claim = { apiVersion: "v2", kind: "Thing", spec: {} };
  const set = defaulted<{ spec: { volumeClaimTemplates: object[] } }>("apps/v1", "StatefulSet", {
    spec: { volumeClaimTemplates: [claim] },
  });
  const { apiVersion, kind } = set.spec.volumeClaimTemplates[0] as typeof claim;
  assert.deepEqual({ apiVersion, kind }, { apiVersion: "v1", kind: "PersistentVolumeClaim" });
});

test("a pod gets what its template would, and service links", () => {
  assert.deepEqual(defaulted("v1", "Pod", { spec: TEMPLATE.spec }), {
    spec: { ...DEFAULTED_TEMPLATE.spec, enableServiceLinks: true },
  });
});

for (const [image, policy] of [
  ["nginx", "Always"],
  ["nginx:latest", "Always"],
  ["nginx:1.25", "IfNotPresent"],
  ["registry:5000/nginx", "Always"],
  ["registry:5000/nginx:1", "IfNotPresent"],
  ["nginx@sha256:abc", "IfNotPresent"],
]) {
  test(`image ${image} is pulled ${policy}`, () => {
    const pod: Pod = { spec: { containers: [{ name: "c", image: image ?? "" }] } };
    assert.equal(defaulted("v1", "Pod", pod).spec?.containers[0]?.imagePullPolicy, policy);
  });
}

test("a container requests its limits, unless it says otherwise", () => {
  const resources = { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } };
  const pod: Pod = { spec: { containers: [{ name: "c", resources }] } };
  assert.deepEqual(defaulted("v1", "Pod", pod).spec?.containers[0]?.resources?.requests, {
    cpu: "500m",
    memory: "1Gi",
  });
});

test("amounts finer than a thousandth are rounded up", () => {
  const pod: Pod = {
    spec: { containers: [{ name: "c", resources: { limits: { cpu: "100u" } } }] },
  };
  const resources = defaulted("v1", "Pod", pod).spec?.containers[0]?.resources;
  assert.deepEqual(resources, { limits: { cpu: "1m" }, requests: { cpu: "1m" } });
});

test("a pod on the host's network has its ports there", () => {
  const pod: Pod = {
    spec: { hostNetwork: true, containers: [{ name: "c", ports: [{ containerPort: 80 }] }] },
  };
  assert.deepEqual(defaulted("v1", "Pod", pod).spec?.containers[0]?.ports, [
    { containerPort: 80, hostPort: 80, protocol: "TCP" },
  ]);
});

test("probes get their thresholds and HTTP paths", () => {
  const readinessProbe = { httpGet: { port: 80 } };
  const pod: Pod = { spec: { containers: [{ name: "c", readinessProbe }] } };
  assert.deepEqual(defaulted("v1", "Pod", pod).spec?.containers[0]?.readinessProbe, {
    httpGet: { port: 80, path: "/", scheme: "HTTP" },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
});

test("volumes get modes, and one without a source is an emptyDir", () => {
  const volumes = [
    { name: "a" },
    { name: "b", secret: { secretName: "s" } },
    { name: "c", hostPath: { path: "/x" } },
    {
      name: "d",
      projected: {
        sources: [
          { serviceAccountToken: { path: "token" } },
          {
            downwardAPI: { items: [{ path: "ns", fieldRef: { fieldPath: "metadata.namespace" } }] },
          },
        ],
      },
    },
  ];
  const pod: Pod = { spec: { containers: [], volumes } };
  assert.deepEqual(defaulted("v1", "Pod", pod).spec?.volumes, [
    { name: "a", emptyDir: {} },
    { name: "b", secret: { secretName: "s", defaultMode: 420 } },
    { name: "c", hostPath: { path: "/x", type: "" } },
    {
      name: "d",
      projected: {
        defaultMode: 420,
        sources: [
          { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
          {
            downwardAPI: {
              items: [
                { path: "ns", fieldRef: { fieldPath: "metadata.namespace", apiVersion: "v1" } },
              ],
            },
          },
        ],
      },
    },
  ]);
});

const TABLE: readonly [
  name: string,
  apiVersion: string,
  kind: string,
  given: object,
  wanted: object,
][] = [
  [
    "a Deployment rolls by a quarter",
    "apps/v1",
    "Deployment",
    { spec: { selector: {}, template: TEMPLATE } },
    {
      spec: {
        selector: {},
        template: DEFAULTED_TEMPLATE,
        replicas: 1,
        strategy: {
          type: "RollingUpdate",
          rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" },
        },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
      },
    },
  ],
  [
    "a Deployment that recreates has no rolling parameters",
    "apps/v1",
    "Deployment",
    { spec: { replicas: 0, strategy: { type: "Recreate" } } },
    {
      spec: {
        replicas: 0,
        strategy: { type: "Recreate" },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        template: EMPTY_TEMPLATE,
      },
    },
  ],
  [
    "a DaemonSet replaces one pod at a time",
    "apps/v1",
    "DaemonSet",
    { spec: {} },
    {
      metadata: { annotations: { "deprecated.daemonset.template.generation": "0" } },
      spec: {
        updateStrategy: {
          type: "RollingUpdate",
          rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
        },
        revisionHistoryLimit: 10,
        template: EMPTY_TEMPLATE,
      },
    },
  ],
  [
    "a StatefulSet keeps its claims and orders its pods",
    "apps/v1",
    "StatefulSet",
    { spec: { volumeClaimTemplates: [{ spec: {} }] } },
    {
      spec: {
        volumeClaimTemplates: [
          {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            spec: { volumeMode: "Filesystem", resources: {} },
            status: { phase: "Pending" },
          },
        ],
        podManagementPolicy: "OrderedReady",
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        replicas: 1,
        revisionHistoryLimit: 10,
        template: EMPTY_TEMPLATE,
      },
    },
  ],
  [
    "a Job runs once",
    "batch/v1",
    "Job",
    { spec: {} },
    {
      spec: {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        completionMode: "NonIndexed",
        suspend: false,
        manualSelector: false,
        podReplacementPolicy: "TerminatingOrFailed",
        template: EMPTY_TEMPLATE,
      },
    },
  ],
  [
    "a Job with parallelism is a work queue",
    "batch/v1",
    "Job",
    { spec: { parallelism: 3, podFailurePolicy: { rules: [] }, backoffLimitPerIndex: 1 } },
    {
      spec: {
        parallelism: 3,
        podFailurePolicy: { rules: [] },
        backoffLimitPerIndex: 1,
        backoffLimit: 2147483647,
        completionMode: "NonIndexed",
        suspend: false,
        manualSelector: false,
        podReplacementPolicy: "Failed",
        template: EMPTY_TEMPLATE,
      },
    },
  ],
  [
    "a Service targets the port it serves",
    "v1",
    "Service",
    { spec: { ports: [{ port: 80 }, { port: 81, targetPort: "http", protocol: "UDP" }] } },
    {
      spec: {
        ports: [
          { port: 80, protocol: "TCP", targetPort: 80 },
          { port: 81, targetPort: "http", protocol: "UDP" },
        ],
        sessionAffinity: "None",
        type: "ClusterIP",
        internalTrafficPolicy: "Cluster",
      },
    },
  ],
  [
    "a Service with addresses outside says how they are reached",
    "v1",
    "Service",
    { spec: { externalIPs: ["1.2.3.4"] } },
    {
      spec: {
        externalIPs: ["1.2.3.4"],
        sessionAffinity: "None",
        type: "ClusterIP",
        externalTrafficPolicy: "Cluster",
        internalTrafficPolicy: "Cluster",
      },
    },
  ],
  [
    "a load-balanced Service with sticky clients",
    "v1",
    "Service",
    { spec: { type: "LoadBalancer", sessionAffinity: "ClientIP" } },
    {
      spec: {
        type: "LoadBalancer",
        sessionAffinity: "ClientIP",
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
        externalTrafficPolicy: "Cluster",
        internalTrafficPolicy: "Cluster",
        allocateLoadBalancerNodePorts: true,
      },
    },
  ],
  ["a Secret is opaque", "v1", "Secret", {}, { type: "Opaque" }],
  [
    "a Namespace is labelled with its name",
    "v1",
    "Namespace",
    { metadata: { name: "a" } },
    {
      metadata: { name: "a", labels: { "kubernetes.io/metadata.name": "a" } },
      status: { phase: "Active" },
    },
  ],
  [
    "a limit range hands the maximum down to limits and requests",
    "v1",
    "LimitRange",
    { spec: { limits: [{ type: "Container", max: { cpu: "2" }, min: { memory: "1Gi" } }] } },
    {
      spec: {
        limits: [
          {
            type: "Container",
            max: { cpu: "2" },
            min: { memory: "1Gi" },
            default: { cpu: "2" },
            defaultRequest: { memory: "1Gi", cpu: "2" },
          },
        ],
      },
    },
  ],
  [
    "a role binding names RBAC's group",
    "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding",
    {
      roleRef: { kind: "Role", name: "r" },
      subjects: [{ kind: "User" }, { kind: "ServiceAccount" }],
    },
    {
      roleRef: { kind: "Role", name: "r", apiGroup: "rbac.authorization.k8s.io" },
      subjects: [
        { kind: "User", apiGroup: "rbac.authorization.k8s.io" },
        { kind: "ServiceAccount" },
      ],
    },
  ],
  [
    "a network policy with egress rules is about both directions",
    "networking.k8s.io/v1",
    "NetworkPolicy",
    { spec: { egress: [{ ports: [{ port: 53 }] }] } },
    {
      spec: {
        egress: [{ ports: [{ port: 53, protocol: "TCP" }] }],
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
      },
    },
  ],
  [
    "an autoscaler does not keep what stood in annotations before it had fields",
    "autoscaling/v1",
    "HorizontalPodAutoscaler",
    {
      metadata: {
        annotations: {
          "autoscaling.alpha.kubernetes.io/metrics": "[]",
          "autoscaling.alpha.kubernetes.io/behavior": "abc",
        },
      },
      spec: {},
    },
    { metadata: {}, spec: { minReplicas: 1, targetCPUUtilizationPercentage: 80 } },
  ],
  [
    "an autoscaler without metrics watches the CPU",
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    { spec: {} },
    {
      spec: {
        minReplicas: 1,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
          },
        ],
      },
    },
  ],
  [
    "a custom kind derives its names",
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    { spec: { names: { kind: "Widget", plural: "widgets" } } },
    {
      spec: {
        names: { kind: "Widget", plural: "widgets", singular: "widget", listKind: "WidgetList" },
        conversion: { strategy: "None" },
      },
    },
  ],
  ["a kind without defaults stays as it is", "v1", "ConfigMap", { data: {} }, { data: {} }],
];

for (const [name, apiVersion, kind, given, wanted] of TABLE) {
  test(`defaults: ${name}`, () => assert.deepEqual(defaulted(apiVersion, kind, given), wanted));
}

test("a default in the facts is one that the defaulters know of", () => {
  const model = builtInModel();
  const found = new Set<string>();
  const visit = (type: FieldType): void => {
    if (type.kind === "list" || type.kind === "map") return visit(type.of);
    if (type.kind !== "struct" || seen.has(type.struct)) return;
    seen.add(type.struct);
    for (const field of model.struct(type.struct).fields.values()) {
      if (field.default !== undefined && field.default !== "") {
        found.add(`${type.struct}.${field.name}=${field.default as string}`);
      }
      visit(field.type);
    }
  };
  const seen = new Set<string>();
  for (const gvk of model.kinds()) {
    visit({ kind: "struct", struct: model.root(gvk)?.name ?? "" });
  }
  assert.deepEqual([...found].sort(), [
    "core/v1.AzureDiskVolumeSource.cachingMode=ReadWrite",
    "core/v1.AzureDiskVolumeSource.fsType=ext4",
    "core/v1.AzureDiskVolumeSource.kind=Shared",
    "core/v1.AzureDiskVolumeSource.readOnly=false",
    "core/v1.ContainerPort.protocol=TCP",
    "core/v1.ISCSIPersistentVolumeSource.iscsiInterface=default",
    "core/v1.ISCSIVolumeSource.iscsiInterface=default",
    "core/v1.RBDPersistentVolumeSource.keyring=/etc/ceph/keyring",
    "core/v1.RBDPersistentVolumeSource.pool=rbd",
    "core/v1.RBDPersistentVolumeSource.user=admin",
    "core/v1.RBDVolumeSource.keyring=/etc/ceph/keyring",
    "core/v1.RBDVolumeSource.pool=rbd",
    "core/v1.RBDVolumeSource.user=admin",
    "core/v1.ScaleIOPersistentVolumeSource.fsType=xfs",
    "core/v1.ScaleIOPersistentVolumeSource.storageMode=ThinProvisioned",
    "core/v1.ScaleIOVolumeSource.fsType=xfs",
    "core/v1.ScaleIOVolumeSource.storageMode=ThinProvisioned",
    "core/v1.ServicePort.protocol=TCP",
  ]);
});
