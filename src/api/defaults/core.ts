import type {
  Endpoints,
  LimitRange,
  LimitRangeItem,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodStatus,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  Secret,
  Service,
  ServicePort,
  ServiceSpec,
} from "../generated/types/core-v1.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";
import { defaultPodOnly, defaultPodSpec, defaultPodTemplate, roundAmounts } from "./pod-spec.ts";
import { defaultClaimSpec, defaultPersistentVolumeSpec } from "./volumes.ts";

const NAMESPACE_LABEL = "kubernetes.io/metadata.name";
const AFFINITY_SECONDS = 10_800;

/** Of the two the one that old clients know wins. */
function defaultPodIps(status: PodStatus): void {
  const { podIP, podIPs } = status;
  if (podIP) {
    if (podIPs?.[0]?.ip !== podIP) status.podIPs = [{ ip: podIP }];
  } else if (podIPs?.[0]?.ip) status.podIP = podIPs[0].ip;
}

/** Defaults of v1. */
export const CORE_DEFAULTS: Defaulters = {
  Endpoints: defaulter<Endpoints>((endpoints) => {
    for (const { ports } of endpoints.subsets ?? []) {
      for (const port of ports ?? []) port.protocol ??= "TCP";
    }
  }),
  LimitRange: defaulter<LimitRange>((range) => {
    for (const item of range.spec?.limits ?? []) defaultLimit(item);
  }),
  Namespace: defaulter<Namespace>((namespace) => {
    const { metadata } = namespace;
    if (metadata?.name) (metadata.labels ??= {})[NAMESPACE_LABEL] = metadata.name;
    (namespace.status ??= {}).phase ??= "Active";
  }),
  Node: defaulter<Node>((node) => {
    const { spec, status } = node;
    if (spec?.podCIDR) {
      // Of the two the one that old clients know wins.
      if (spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
    } else if (spec?.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
    if (status?.capacity) status.allocatable ??= { ...status.capacity };
    for (const amounts of [status?.capacity, status?.allocatable]) {
      if (amounts) roundAmounts(amounts);
    }
  }),
  PersistentVolume: defaulter<PersistentVolume>((volume) => {
    (volume.status ??= {}).phase ??= "Pending";
    if (volume.spec) defaultPersistentVolumeSpec(volume.spec);
  }),
  PersistentVolumeClaim: defaulter<PersistentVolumeClaim>((claim) => defaultClaim(claim)),
  Pod: defaulter<Pod>((pod) => {
    if (pod.status) defaultPodIps(pod.status);
    if (!pod.spec) return;
    defaultPodSpec(pod.spec);
    defaultPodOnly(pod.spec);
  }),
  PodTemplate: defaulter<PodTemplate>(({ template }) => {
    if (template) defaultPodTemplate(template);
  }),
  ReplicationController: defaulter<ReplicationController>(defaultReplicationController),
  ResourceQuota: defaulter<ResourceQuota>((quota) => {
    for (const amounts of [quota.spec?.hard, quota.status?.hard, quota.status?.used]) {
      if (amounts) roundAmounts(amounts);
    }
  }),
  Secret: defaulter<Secret>((secret) => {
    secret.type ??= "Opaque";
    moveStringData(secret);
  }),
  Service: defaulter<Service>((service) => {
    if (service.spec) defaultService(service.spec);
    for (const balancer of service.status?.loadBalancer?.ingress ?? []) {
      if (balancer.ip) balancer.ipMode ??= "VIP";
    }
  }),
};

/** Defaults of a claim, also in the templates of a StatefulSet. */
export function defaultClaim(claim: PersistentVolumeClaim): void {
  (claim.status ??= {}).phase ??= "Pending";
  defaultClaimSpec((claim.spec ??= {}));
}

function defaultService(spec: ServiceSpec): void {
  spec.sessionAffinity ??= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP") {
    const config = ((spec.sessionAffinityConfig ??= {}).clientIP ??= {});
    config.timeoutSeconds ??= AFFINITY_SECONDS;
  }
  spec.type ??= "ClusterIP";
  for (const port of spec.ports ?? []) defaultServicePort(port);
  const isOutside = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (isOutside || (spec.type === "ClusterIP" && spec.externalIPs?.length)) {
    spec.externalTrafficPolicy ??= "Cluster";
  }
  if (spec.type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
}

function defaultServicePort(port: ServicePort): void {
  port.protocol ??= "TCP";
  if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") {
    port.targetPort = port.port;
  }
}

/** `stringData` is write-only: it moves into `data` as base64 and wins over it. */
function moveStringData(secret: Secret): void {
  if (!secret.stringData) return;
  const data = { ...secret.data };
  for (const [key, value] of Object.entries(secret.stringData)) {
    data[key] = Buffer.from(value).toString("base64");
  }
  secret.data = data;
  delete secret.stringData;
}

function defaultReplicationController(controller: ReplicationController): void {
  const { spec } = controller;
  if (!spec) return;
  const labels = spec.template?.metadata?.labels;
  if (labels) {
    spec.selector ??= { ...labels };
    (controller.metadata ??= {}).labels ??= { ...labels };
  }
  spec.replicas ??= 1;
  if (spec.template) defaultPodTemplate(spec.template);
}

/** Containers without limits get the maximum, those without requests the limit or the minimum. */
function defaultLimit(item: LimitRangeItem): void {
  for (const amounts of [item.max, item.min, item.default, item.defaultRequest]) {
    if (amounts) roundAmounts(amounts);
  }
  if (item.type !== "Container") return;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}
