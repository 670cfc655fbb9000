import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import {
  CONFIG_MAPS,
  LIMIT_RANGES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  RESOURCE_QUOTAS,
  SERVICES,
} from "../../api/generated/resources.ts";
import type {
  LimitRangeItem,
  Pod,
  PodSpec,
  ResourceQuotaSpec,
  ResourceRequirements,
  Service,
} from "../../api/generated/types/core-v1.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import { admit, fixtureRequest, stillClock } from "./admission-fixture.ts";
import { limitRangerPlugin } from "./limit-ranger.ts";
import { resourceQuotaPlugin } from "./resource-quota.ts";

function pod(
  resources: ResourceRequirements = {},
  more: Partial<PodSpec> = {},
): Pod & { spec: PodSpec } {
  const name = randomUUID();
  return {
    metadata: { name, namespace: "a", uid: name },
    spec: { containers: [{ name: "c", resources }], ...more },
  };
}

function ranger(...limits: LimitRangeItem[]) {
  const reader = memoryReader();
  reader.put(LIMIT_RANGES, { metadata: { name: "l", namespace: "a" }, spec: { limits } });
  return limitRangerPlugin(reader);
}

test("LimitRanger: defaults fill what is open, and say so", async () => {
  const plugin = ranger({
    type: "Container",
    default: { cpu: "200m", memory: "64Mi" },
    defaultRequest: { cpu: "100m" },
  });
  const web = pod({ limits: { memory: "32Mi" }, requests: { memory: "32Mi" } });
  await admit(plugin, fixtureRequest(PODS, web));
  assert.deepEqual(web.spec.containers[0]?.resources, {
    requests: { memory: "32Mi", cpu: "100m" },
    limits: { memory: "32Mi", cpu: "200m" },
  });
  assert.equal(
    web.metadata?.annotations?.["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
  );
});

const BOUNDS: [
  title: string,
  item: LimitRangeItem,
  resources: ResourceRequirements,
  why?: RegExp,
][] = [
  [
    "a request above the minimum",
    { type: "Container", min: { cpu: "100m" } },
    { requests: { cpu: "0.1" } },
  ],
  [
    "a request below the minimum",
    { type: "Container", min: { cpu: "100m" } },
    { requests: { cpu: "50m" } },
    /minimum cpu usage per Container is 100m, but request is 50m/,
  ],
  [
    "a limit above the maximum",
    { type: "Container", max: { memory: "1Gi" } },
    { limits: { memory: "2Gi" }, requests: { memory: "1Gi" } },
    /maximum memory usage per Container is 1Gi, but limit is 2Gi/,
  ],
  [
    "no limit for a pod with a maximum",
    { type: "Pod", max: { cpu: "1" } },
    {},
    /maximum cpu usage per Pod is 1.  No limit is specified/,
  ],
  [
    "too wide a ratio",
    { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
    { requests: { cpu: "100m" }, limits: { cpu: "250m" } },
    /cpu max limit to request ratio per Container is 2, but provided ratio is 2.5/,
  ],
];

for (const [title, item, resources, why] of BOUNDS) {
  test(`LimitRanger: ${title} is ${why ? "refused" : "allowed"}`, async () => {
    const admitted = admit(ranger(item), fixtureRequest(PODS, pod(resources)));
    if (why) await assert.rejects(admitted, { code: 403, message: why });
    else await admitted;
  });
}

test("LimitRanger: claims are bounded by their request", async () => {
  const plugin = ranger({
    type: "PersistentVolumeClaim",
    min: { storage: "1Gi" },
    max: { storage: "5Gi" },
  });
  const claim = (storage: string) =>
    fixtureRequest(PERSISTENT_VOLUME_CLAIMS, {
      metadata: { name: "d" },
      spec: { resources: { requests: { storage } } },
    });
  await admit(plugin, claim("2Gi"));
  await assert.rejects(admit(plugin, claim("512Mi")), { message: /minimum storage usage/ });
  await assert.rejects(admit(plugin, claim("6Gi")), { message: /maximum storage usage/ });
});

function quota(spec: ResourceQuotaSpec) {
  const reader = memoryReader();
  reader.put(RESOURCE_QUOTAS, { metadata: { name: "q", namespace: "a" }, spec });
  return { reader, plugin: resourceQuotaPlugin({ reader, clock: stillClock }) };
}

test("ResourceQuota: counts what lives, also what the cache does not show yet", async () => {
  const { reader, plugin } = quota({ hard: { pods: "3" } });
  reader.put(PODS, pod());
  reader.put(PODS, { ...pod(), status: { phase: "Succeeded" } });
  await admit(plugin, fixtureRequest(PODS, pod()));
  const seen = pod();
  await admit(plugin, fixtureRequest(PODS, seen));
  reader.put(PODS, seen);
  await assert.rejects(admit(plugin, fixtureRequest(PODS, pod())), {
    code: 403,
    message: /exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3/,
  });
});

test("ResourceQuota: compute must be stated and adds up", async () => {
  const { reader, plugin } = quota({ hard: { "requests.cpu": "1", "limits.memory": "1Gi" } });
  await assert.rejects(admit(plugin, fixtureRequest(PODS, pod())), {
    message: /failed quota: q: must specify limits.memory for: c; requests.cpu for: c/,
  });
  const half = { requests: { cpu: "600m" }, limits: { memory: "1Mi" } };
  reader.put(PODS, pod(half));
  await assert.rejects(admit(plugin, fixtureRequest(PODS, pod(half))), {
    message: /requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1/,
  });
});

test("ResourceQuota: scopes choose pods and nothing else", async () => {
  const { plugin } = quota({
    hard: { pods: "0", "count/configmaps": "0" },
    scopes: ["BestEffort"],
  });
  await assert.rejects(admit(plugin, fixtureRequest(PODS, pod())), { code: 403 });
  await admit(plugin, fixtureRequest(PODS, pod({ requests: { cpu: "1" } })));
  await admit(plugin, fixtureRequest(CONFIG_MAPS, { metadata: { name: "c" } }));
  const classes = quota({
    hard: { pods: "0" },
    scopeSelector: {
      matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }],
    },
  });
  await assert.rejects(
    admit(classes.plugin, fixtureRequest(PODS, pod({}, { priorityClassName: "high" }))),
  );
  await admit(classes.plugin, fixtureRequest(PODS, pod()));
});

test("ResourceQuota: an update pays for what it adds only", async () => {
  const { reader, plugin } = quota({ hard: { services: "1", "services.nodeports": "1" } });
  const service = (ports: number): Service => ({
    metadata: { name: "s", namespace: "a", uid: "s" },
    spec: { type: "NodePort", ports: Array.from({ length: ports }, (_, at) => ({ port: at + 1 })) },
  });
  reader.put(SERVICES, service(1));
  const update = (ports: number) =>
    admit(
      plugin,
      fixtureRequest(SERVICES, service(ports), {
        operation: "UPDATE",
        old: service(1),
      }),
    );
  await update(1);
  await assert.rejects(update(2), { message: /services.nodeports=1/ });
});
