import type { PersistentVolumeClaim, Pod, Service } from "../generated/types/core-v1.ts";
import { parseQuantity, type Quantity } from "../../lib/quantity.ts";
import { type Amounts, parseAmounts, podAmounts } from "./resource-amounts.ts";

const STORAGE_CLASS_SUFFIX = ".storageclass.storage.k8s.io/";
/** Compute resources that a quota may name without "requests." before them. */
const SHORT_NAMES = new Set(["cpu", "memory", "ephemeral-storage"]);

/** Kinds that have a count under their plain name beside "count/...". */
const PLAIN_COUNTS = new Set([
  "configmaps",
  "persistentvolumeclaims",
  "pods",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
]);

const ONE: Quantity = parseQuantity("1");

/** Whether a pod still counts: it has not ended and is not long overdue to be gone. */
export function isCounted(pod: Pod, nowMs: number): boolean {
  const phase = pod.status?.phase;
  if (phase === "Succeeded" || phase === "Failed") return false;
  const { deletionTimestamp } = pod.metadata ?? {};
  // The time of deletion includes the grace period; after it the pod is the node's problem alone.
  return deletionTimestamp === undefined || Date.parse(deletionTimestamp) > nowMs;
}

function quantity(count: number): Quantity {
  return parseQuantity(String(count));
}

function podUsage(pod: Pod): Amounts {
  const usage: Amounts = new Map();
  if (!pod.spec) return usage;
  for (const [name, amount] of podAmounts(pod.spec, "requests")) {
    usage.set(`requests.${name}`, amount);
    if (SHORT_NAMES.has(name) || name.startsWith("hugepages-")) usage.set(name, amount);
  }
  for (const [name, amount] of podAmounts(pod.spec, "limits")) usage.set(`limits.${name}`, amount);
  return usage;
}

function serviceUsage({ spec }: Service): Amounts {
  const usage: Amounts = new Map();
  const ports = spec?.ports?.length ?? 0;
  const balanced = spec?.type === "LoadBalancer";
  const nodePorts =
    spec?.type === "NodePort" || (balanced && spec.allocateLoadBalancerNodePorts !== false)
      ? ports
      : 0;
  usage.set("services.loadbalancers", quantity(balanced ? 1 : 0));
  usage.set("services.nodeports", quantity(nodePorts));
  return usage;
}

function claimUsage({ spec }: PersistentVolumeClaim): Amounts {
  const usage: Amounts = new Map();
  const storage = parseAmounts(spec?.resources?.requests).get("storage");
  if (storage) usage.set("requests.storage", storage);
  const storageClass = spec?.storageClassName;
  if (!storageClass) return usage;
  usage.set(`${storageClass}${STORAGE_CLASS_SUFFIX}persistentvolumeclaims`, ONE);
  if (storage) usage.set(`${storageClass}${STORAGE_CLASS_SUFFIX}requests.storage`, storage);
  return usage;
}

/** Everything that one object uses, by the names that quotas use. */
export function usageOf(resource: { group: string; plural: string }, object: unknown): Amounts {
  const { group, plural } = resource;
  const usage: Amounts = new Map();
  usage.set(group ? `count/${plural}.${group}` : `count/${plural}`, ONE);
  if (group) return usage;
  if (PLAIN_COUNTS.has(plural)) usage.set(plural, ONE);
  const more =
    plural === "pods"
      ? podUsage(object as Pod)
      : plural === "services"
        ? serviceUsage(object as Service)
        : plural === "persistentvolumeclaims"
          ? claimUsage(object as PersistentVolumeClaim)
          : [];
  for (const [name, amount] of more) usage.set(name, amount);
  return usage;
}
