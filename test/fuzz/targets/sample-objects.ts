type Json = Record<string, unknown>;

const metadata: Json = {
  name: "a",
  namespace: "default",
  labels: { app: "a", "example.com/tier": "front" },
  annotations: { note: "é😀" },
  creationTimestamp: "2024-02-29T12:00:00Z",
  generation: 3,
  ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "n", uid: "u", controller: true }],
  finalizers: ["example.com/keep"],
  managedFields: [
    {
      manager: "m",
      operation: "Update",
      apiVersion: "v1",
      time: "2024-01-01T00:00:00Z",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:metadata": { "f:labels": { ".": {} } } },
    },
  ],
};

const podSpec: Json = {
  containers: [
    {
      name: "c",
      image: "nginx:1.25",
      command: ["sh", "-c", "sleep 1"],
      env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
      ports: [{ containerPort: 80, protocol: "TCP" }],
      resources: { limits: { cpu: "500m", memory: "1Gi" }, requests: { cpu: "0.25" } },
      livenessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 5 },
      securityContext: { capabilities: { drop: ["ALL"] }, runAsUser: 1000 },
    },
  ],
  volumes: [{ name: "v", configMap: { name: "m", defaultMode: 420 } }],
  tolerations: [{ key: "k", operator: "Exists", tolerationSeconds: 9 }],
  nodeSelector: { zone: "z" },
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, preference: { matchExpressions: [{ key: "a", operator: "Exists" }] } },
      ],
    },
  },
  terminationGracePeriodSeconds: 30,
};

const POD: Json = {
  apiVersion: "v1",
  kind: "Pod",
  metadata,
  spec: podSpec,
  status: {
    phase: "Running",
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2024-01-01T00:00:00Z" }],
    startTime: "2024-01-01T00:00:00Z",
  },
};

const DEPLOYMENT: Json = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata,
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "a" } },
    template: { metadata: { labels: { app: "a" } }, spec: podSpec },
    strategy: { rollingUpdate: { maxSurge: "25%", maxUnavailable: 1 } },
  },
};

const SECRET: Json = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "s" },
  data: { a: "YQ==", b: "" },
  type: "Opaque",
};

const LEASE: Json = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "l" },
  spec: { holderIdentity: "h", renewTime: "2024-01-01T00:00:00.123456Z", leaseTransitions: 1 },
};

const DEFINITION: Json = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", kind: "Widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              a: { type: "array", items: { type: "string", default: "x", enum: ["x", "y"] } },
              b: { type: "object", additionalProperties: { type: "integer", minimum: 0.5 } },
              c: { type: "object", additionalProperties: true, dependencies: { d: ["e"] } },
            },
          },
        },
      },
    ],
  },
};

/** Objects of several kinds with fields of every type that there is. */
export const SAMPLE_OBJECTS: readonly Json[] = [POD, DEPLOYMENT, SECRET, LEASE, DEFINITION];
