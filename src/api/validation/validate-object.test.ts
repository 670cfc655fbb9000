import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BUILT_IN_RESOURCES,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  CRON_JOBS,
  CUSTOM_RESOURCE_DEFINITIONS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  INGRESSES,
  JOBS,
  NAMESPACES,
  NETWORK_POLICIES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  PRIORITY_CLASSES,
  ROLE_BINDINGS,
  ROLES,
  SECRETS,
  SERVICES,
  STATEFUL_SETS,
} from "../generated/resources.ts";
import type { Container, Pod, PodSpec } from "../generated/types/core-v1.ts";
import type { Resource } from "../resource.ts";
import { validateObject } from "./validate-object.ts";

/** What `kubectl` shows after "is invalid: ". */
function complaints<T>(resource: Resource<T>, object: T, old?: T): string[] {
  const named = (value: T) => {
    const metadata = (value as { metadata?: object }).metadata;
    const space = resource.namespaced ? { namespace: "default" } : {};
    return { ...value, metadata: { name: "web", ...space, ...metadata } };
  };
  const options = old === undefined ? {} : { old: named(old) };
  return validateObject(resource, named(object), options).map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

const CONTAINER: Container = { name: "web", image: "nginx" };

function pod(spec: Partial<PodSpec>): Pod {
  return { spec: { containers: [CONTAINER], restartPolicy: "Always", ...spec } };
}

test("an ordinary pod is fine", () => {
  const full = pod({
    volumes: [
      { name: "v", emptyDir: {} },
      { name: "c", configMap: { name: "x" } },
    ],
    initContainers: [
      { name: "init", image: "i" },
      { name: "side", image: "s", restartPolicy: "Always" },
    ],
    containers: [
      {
        ...CONTAINER,
        ports: [{ name: "http", containerPort: 80, protocol: "TCP" }],
        env: [
          { name: "A", value: "b" },
          { name: "P", valueFrom: { fieldRef: { fieldPath: "metadata.labels['a']" } } },
        ],
        resources: {
          requests: { cpu: "100m", memory: "64Mi" },
          limits: { cpu: "1", memory: "64Mi" },
        },
        volumeMounts: [{ name: "v", mountPath: "/v", subPath: "a/b" }],
        livenessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 1 },
        securityContext: { runAsUser: 0, allowPrivilegeEscalation: false },
      },
    ],
    tolerations: [
      { operator: "Exists" },
      { key: "a", operator: "Equal", value: "b", effect: "NoExecute", tolerationSeconds: 5 },
    ],
  });
  assert.deepEqual(complaints(PODS, full), []);
});

test("metadata follows the same rules for every kind", () => {
  const meta = (metadata: object) => complaints(CONFIG_MAPS, { metadata });
  assert.match(
    meta({ name: "A_b" })[0] ?? "",
    /^metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain/,
  );
  assert.deepEqual(meta({ name: "" }), [
    "metadata.name: Required value: name or generateName is required",
  ]);
  assert.deepEqual(meta({ generateName: "web-" }), []);
  assert.match(
    meta({ labels: { "a b": "c" } })[0] ?? "",
    /^metadata.labels: Invalid value: "a b": name part must/,
  );
  assert.match(
    meta({ labels: { a: "-" } })[0] ?? "",
    /^metadata.labels: Invalid value: "-": a valid label must/,
  );
  assert.deepEqual(meta({ annotations: { a: "x".repeat(300_000) } }), [
    "metadata.annotations: Too long: may not be more than 262144 bytes",
  ]);
  assert.deepEqual(meta({ finalizers: ["mine"] }), [
    'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
  ]);
  assert.deepEqual(meta({ finalizers: ["example.com/mine"] }), []);
  const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "u", controller: true };
  assert.match(
    meta({ ownerReferences: [owner, owner] })[0] ?? "",
    /Only one reference can have Controller set to true/,
  );
  assert.deepEqual(complaints(NAMESPACES, { metadata: { namespace: "x" } }), [
    "metadata.namespace: Forbidden: not allowed on this type",
  ]);
  assert.deepEqual(
    complaints(CONFIG_MAPS, { metadata: { uid: "b" } }, { metadata: { uid: "a" } }),
    ['metadata.uid: Invalid value: "b": field is immutable'],
  );
  const leaving = { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } };
  const metadata = { ...leaving.metadata, finalizers: ["example.com/x"] };
  assert.match(
    complaints(CONFIG_MAPS, { metadata }, leaving)[0] ?? "",
    /no new finalizers can be added/,
  );
});

const TEMPLATE = { metadata: { labels: { app: "web" } }, spec: { containers: [CONTAINER] } };
const SELECTOR = { matchLabels: { app: "web" } };

test("workloads select the pods they make and keep their selector", () => {
  const spec = { selector: SELECTOR, template: TEMPLATE };
  assert.deepEqual(complaints(DEPLOYMENTS, { spec }), []);
  const other = { selector: { matchLabels: { app: "x" } }, template: TEMPLATE };
  assert.deepEqual(complaints(DEPLOYMENTS, { spec: other }), [
    'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match template `labels`',
  ]);
  assert.match(
    complaints(DEPLOYMENTS, { spec: { selector: {}, template: TEMPLATE } })[0] ?? "",
    /empty selector is invalid for deployment/,
  );
  assert.match(
    complaints(DEPLOYMENTS, { spec: other }, { spec }).at(-1) ?? "",
    /^spec.selector: .*field is immutable$/,
  );
  assert.deepEqual(complaints(DEPLOYMENTS, { spec: { ...spec, replicas: -1 } }), [
    "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
  ]);
  const never = { ...TEMPLATE, spec: { ...TEMPLATE.spec, restartPolicy: "Never" as const } };
  assert.deepEqual(complaints(DEPLOYMENTS, { spec: { selector: SELECTOR, template: never } }), [
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ]);
  const byHand = { selector: SELECTOR, manualSelector: true };
  assert.deepEqual(complaints(JOBS, { spec: { ...byHand, template: never } }), []);
  assert.deepEqual(complaints(JOBS, { spec: { ...byHand, template: TEMPLATE } }), [
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ]);
  const set = { ...spec, serviceName: "a" };
  assert.match(
    complaints(STATEFUL_SETS, { spec: { ...set, serviceName: "b" } }, { spec: set })[0] ?? "",
    /^spec: Forbidden: updates to statefulset spec/,
  );
  assert.deepEqual(complaints(STATEFUL_SETS, { spec: { ...set, replicas: 3 } }, { spec: set }), []);
  const cron = { schedule: "x", jobTemplate: { spec: { template: never } } };
  assert.deepEqual(complaints(CRON_JOBS, { spec: cron }), [
    'spec.schedule: Invalid value: "x": expected exactly 5 fields, found 1: [x]',
  ]);
});

test("services name their ports and keep their address", () => {
  const spec = {
    type: "ClusterIP" as const,
    clusterIP: "10.0.0.1",
    clusterIPs: ["10.0.0.1"],
    ports: [{ port: 80 }],
  };
  assert.deepEqual(complaints(SERVICES, { spec }), []);
  assert.deepEqual(complaints(SERVICES, { spec: { ...spec, ports: [] } }), [
    "spec.ports: Required value",
  ]);
  assert.deepEqual(
    complaints(SERVICES, { spec: { ...spec, ports: [{ port: 80 }, { port: 81 }] } }),
    ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
  );
  assert.match(
    complaints(SERVICES, { metadata: { name: "1a" }, spec })[0] ?? "",
    /^metadata.name: Invalid value: "1a": a DNS-1035 label/,
  );
  const moved = { ...spec, clusterIP: "10.0.0.2", clusterIPs: ["10.0.0.2"] };
  assert.deepEqual(complaints(SERVICES, { spec: moved }, { spec }), [
    'spec.clusterIPs[0]: Invalid value: []string{"10.0.0.2"}: may not change once set',
  ]);
  assert.deepEqual(
    complaints(SERVICES, { spec: { ...spec, ports: [{ port: 80, nodePort: 30_000 }] } }),
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  );
  const slice = { addressType: "IPv4", endpoints: [{ addresses: ["fd00::1"] }], ports: [] };
  assert.deepEqual(complaints(ENDPOINT_SLICES, slice), [
    'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address',
  ]);
});

test("data keeps its form, its size and its promise not to change", () => {
  assert.match(
    complaints(CONFIG_MAPS, { data: { "a/b": "" } })[0] ?? "",
    /^data\[a\/b\]: Invalid value: "a\/b": a valid config key/,
  );
  assert.deepEqual(complaints(CONFIG_MAPS, { data: { a: "x".repeat(2 ** 20 + 1) } }), [
    "[]: Too long: may not be more than 1048576 bytes",
  ]);
  const old = { immutable: true, data: { a: "1" } };
  assert.deepEqual(complaints(CONFIG_MAPS, { data: { a: "2" } }, old), [
    "immutable: Forbidden: field is immutable when `immutable` is set",
    "data: Forbidden: field is immutable when `immutable` is set",
  ]);
  assert.deepEqual(complaints(SECRETS, { type: "kubernetes.io/tls", data: { "tls.crt": "" } }), [
    "data[tls.key]: Required value",
  ]);
  assert.deepEqual(complaints(SECRETS, { type: "a" }, { type: "b" }), [
    'type: Invalid value: "a": field is immutable',
  ]);
});

test("other kinds have their own rules", () => {
  const group = "rbac.authorization.k8s.io";
  const binding = (kind: string) => ({ roleRef: { apiGroup: group, kind, name: "r" } });
  assert.deepEqual(complaints(ROLE_BINDINGS, binding("Role")), []);
  assert.match(
    complaints(ROLE_BINDINGS, binding("Role"), binding("ClusterRole"))[0] ?? "",
    /cannot change roleRef$/,
  );
  assert.deepEqual(
    complaints(ROLES, { rules: [{ verbs: [], apiGroups: [""], resources: ["pods"] }] }),
    ["rules[0].verbs: Required value: verbs must contain at least one value"],
  );
  assert.deepEqual(
    complaints(CLUSTER_ROLES, {
      metadata: { name: "system:x" },
      rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }],
    }),
    [],
  );
  assert.match(
    complaints(POD_DISRUPTION_BUDGETS, { spec: { minAvailable: 1, maxUnavailable: 1 } })[0] ?? "",
    /cannot be both set$/,
  );
  assert.deepEqual(complaints(POD_DISRUPTION_BUDGETS, { spec: { minAvailable: "50%" } }), []);
  assert.match(
    complaints(INGRESSES, { spec: {} })[0] ?? "",
    /either `defaultBackend` or `rules` must be specified/,
  );
  const peer = { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/33" } }] }] };
  assert.match(complaints(NETWORK_POLICIES, { spec: peer })[0] ?? "", /must be a valid CIDR value/);
  const nowhere = { from: [{ ipBlock: { except: ["10.0.0.0/33"] } }] } as object;
  assert.match(
    complaints(NETWORK_POLICIES, { spec: { podSelector: {}, ingress: [nowhere] } })[0] ?? "",
    /ipBlock\.cidr: Required value/,
  );
  const claim = {
    accessModes: ["ReadWriteOnce" as const],
    resources: { requests: { storage: "1Gi" } },
  };
  assert.deepEqual(complaints(PERSISTENT_VOLUME_CLAIMS, { spec: claim }), []);
  assert.match(
    complaints(
      PERSISTENT_VOLUME_CLAIMS,
      { spec: { ...claim, storageClassName: "x" } },
      { spec: { ...claim, storageClassName: "y" } },
    )[0] ?? "",
    /^spec: Forbidden: spec is immutable after creation/,
  );
  assert.deepEqual(complaints(PRIORITY_CLASSES, { value: 2 }, { value: 1 }), [
    "value: Forbidden: may not be changed in an update.",
  ]);
  assert.match(
    complaints(NODES, { spec: { taints: [{ key: "a", effect: "X" as "NoExecute" }] } })[0] ?? "",
    /^metadata.taints\[0\].effect: Unsupported value: "X"/,
  );
  const crd = {
    metadata: { name: "things.example.com" },
    spec: {
      group: "example.com",
      names: { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" },
      scope: "Namespaced",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object" } },
        },
      ],
    },
  };
  assert.deepEqual(complaints(CUSTOM_RESOURCE_DEFINITIONS, crd), []);
  assert.match(
    complaints(CUSTOM_RESOURCE_DEFINITIONS, { ...crd, metadata: { name: "x" } })[0] ?? "",
    /^metadata.name: Invalid value: "x": must be spec.names.plural/,
  );
});

test("names that every object has are judged like others", () => {
  const secret = { type: "constructor", data: {} };
  assert.deepEqual(complaints(SECRETS, secret), []);
  const slice = { addressType: "constructor", endpoints: [{ addresses: ["x"] }] };
  assert.match(complaints(ENDPOINT_SLICES, slice)[0] ?? "", /^addressType: Unsupported value/);
  const expression = { key: "a", operator: "toString" as "In" };
  const required = { nodeSelectorTerms: [{ matchExpressions: [expression] }] };
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
  assert.match(complaints(PODS, pod({ affinity }))[0] ?? "", /not a valid selector operator$/);
});

test("no kind's rules fail on an empty object, new or changed", () => {
  for (const resource of BUILT_IN_RESOURCES) {
    validateObject(resource, {});
    validateObject(resource, {}, { old: {} });
    validateObject(resource, { spec: {} } as object, { old: { spec: {} } as object });
    assert.ok(
      validateObject(resource, {}, { old: {}, subresource: "status" }).length >= 1,
      resource.plural,
    );
  }
});
