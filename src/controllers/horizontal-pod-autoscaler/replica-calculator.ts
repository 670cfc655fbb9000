import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import { quantityToMilli } from "../../lib/quantity.ts";
import { groupPods, type PodGroups, type PodValue } from "./pod-groups.ts";

/** A ratio so near to 1 changes nothing. */
const TOLERANCE = 0.1;

/** How many replicas a metric asks for. */
export interface Recommendation {
  replicas: number;
  /** Average of the pods, in thousandths. */
  averageMilli: number;
  /** Percent of what the pods request; only for utilization. */
  utilization?: number;
  /** Of the newest value. */
  atMs: number;
}

/** What is measured, and of whom. */
export interface PodsMetric {
  pods: readonly Pod[];
  values: ReadonlyMap<string, PodValue>;
  currentReplicas: number;
  /** "cpu", "memory"; "" for metrics that are no resource. */
  resource: string;
  nowMs: number;
}

/** The metric cannot be used; the message says why. */
export class MetricError extends Error {
  override name = "MetricError";
}

/** Replicas for an average per pod of `targetMilli`. Pure. @throws MetricError */
export function replicasForAverage(metric: PodsMetric, targetMilli: number): Recommendation {
  const groups = groupsOf(metric);
  const ratioOf = (values: ReadonlyMap<string, number>) => average(values) / targetMilli;
  const averageMilli = Math.floor(average(groups.values));
  const replicas = replicasFor(metric.currentReplicas, groups, {
    ratioOf,
    fallback: () => targetMilli,
  });
  return { replicas, averageMilli, atMs: newest(metric) };
}

/** Replicas for a percentage of what the pods request. Pure. @throws MetricError */
export function replicasForUtilization(
  metric: PodsMetric,
  of: { targetPercent: number; container?: string },
): Recommendation {
  const { resource } = metric;
  const groups = groupsOf(metric);
  const requests = new Map(
    metric.pods.map((pod) => [pod.metadata?.name ?? "", requestOf(pod, resource, of.container)]),
  );
  const percentOf = (values: ReadonlyMap<string, number>) => {
    let used = 0;
    let requested = 0;
    for (const [name, value] of values) {
      used += value;
      requested += requests.get(name) ?? 0;
    }
    // Of nothing there is no part; taken for 0 % it would take pods away.
    if (requested === 0) throw new MetricError("no metrics returned matched known pods");
    return Math.floor((used * 100) / requested);
  };
  const utilization = percentOf(groups.values);
  const averageMilli = Math.floor(average(groups.values));
  // A pod that says nothing counts as fully used before any is taken away.
  const assumed = Math.max(100, of.targetPercent) / 100;
  const replicas = replicasFor(metric.currentReplicas, groups, {
    ratioOf: (values) => percentOf(values) / of.targetPercent,
    fallback: (name) => (requests.get(name) ?? 0) * assumed,
  });
  return { replicas, averageMilli, utilization, atMs: newest(metric) };
}

/** Replicas for one value that all pods together cause. Pure. */
export function replicasForValue(
  { pods, currentReplicas }: Pick<PodsMetric, "pods" | "currentReplicas">,
  of: { milli: number; targetMilli: number },
): number {
  const ratio = of.milli / of.targetMilli;
  if (currentReplicas === 0) return Math.ceil(ratio);
  if (isNearOne(ratio)) return currentReplicas;
  return Math.ceil(ratio * pods.filter(isRunningReady).length);
}

/** Replicas so that each has its part of one value. Pure. */
export function replicasForShare(
  currentReplicas: number,
  of: { milli: number; targetMilli: number },
): number {
  const ratio = of.milli / (of.targetMilli * currentReplicas);
  if (currentReplicas > 0 && isNearOne(ratio)) return currentReplicas;
  return Math.ceil(of.milli / of.targetMilli);
}

function groupsOf({ pods, values, resource, nowMs }: PodsMetric): PodGroups {
  if (pods.length === 0) {
    throw new MetricError("no pods returned by selector while calculating replica count");
  }
  const groups = groupPods(pods, { values, resource, nowMs });
  if (groups.values.size > 0) return groups;
  const names = new Set(pods.map(({ metadata }) => metadata?.name));
  if ([...values.keys()].some((name) => !names.has(name))) {
    throw new MetricError("no metrics returned matched known pods");
  }
  throw new MetricError("did not receive metrics for targeted pods (pods might be unready)");
}

function replicasFor(
  current: number,
  groups: PodGroups,
  of: {
    ratioOf(values: ReadonlyMap<string, number>): number;
    /** What a silent pod is taken to use when replicas would be taken away. */
    fallback(name: string): number;
  },
): number {
  const ratio = of.ratioOf(groups.values);
  const growsBesideUnready = groups.unready.length > 0 && ratio > 1;
  if (!growsBesideUnready && groups.missing.length === 0) {
    return isNearOne(ratio) ? current : Math.ceil(ratio * groups.ready);
  }
  const values = new Map(groups.values);
  if (ratio !== 1) {
    for (const name of groups.missing) values.set(name, ratio < 1 ? of.fallback(name) : 0);
  }
  if (growsBesideUnready) for (const name of groups.unready) values.set(name, 0);
  const careful = of.ratioOf(values);
  const turned = (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1);
  if (isNearOne(careful) || turned) return current;
  const replicas = Math.ceil(careful * values.size);
  const overshoots = careful < 1 ? replicas > current : replicas < current;
  return overshoots ? current : replicas;
}

function isNearOne(ratio: number): boolean {
  return Math.abs(1 - ratio) <= TOLERANCE;
}

function average(values: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const value of values.values()) sum += value;
  return values.size === 0 ? 0 : sum / values.size;
}

function newest({ values }: PodsMetric): number {
  return Math.max(0, ...[...values.values()].map(({ atMs }) => atMs));
}

function isRunningReady(pod: Pod): boolean {
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
  return pod.status?.phase === "Running" && ready?.status === "True";
}

function requestOf(pod: Pod, resource: string, only: string | undefined): number {
  const sidecars = (pod.spec?.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === "Always",
  );
  const containers: readonly Container[] = [...(pod.spec?.containers ?? []), ...sidecars];
  let sum = 0;
  for (const { name, resources } of containers) {
    if (only !== undefined && name !== only) continue;
    const request = resources?.requests?.[resource];
    if (request === undefined) {
      throw new MetricError(
        `missing request for ${resource} in container ${name} of Pod ${pod.metadata?.name ?? ""}`,
      );
    }
    sum += quantityToMilli(String(request));
  }
  return sum;
}
