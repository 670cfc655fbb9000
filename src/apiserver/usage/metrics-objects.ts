import type { ObjectMeta } from "../../api/generated/types/meta-v1.ts";
import type {
  ContainerMetrics,
  NodeMetrics,
  PodMetrics,
} from "../../api/generated/types/metrics-v1beta1.ts";
import { formatTime } from "../../lib/clock.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import { canonicalQuantity } from "../../lib/quantity.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Reading, UsageSample } from "./usage-sample.ts";
import type { UsageWindow } from "./usage-sampler.ts";

const API_VERSION = "metrics.k8s.io/v1beta1";

/** Use of a node over the window; `undefined` while there is no rate. */
export function nodeMetrics(node: KubeObject, window: UsageWindow): NodeMetrics | undefined {
  const usage = usageOf(window, (sample) => sample.node);
  if (!usage) return undefined;
  const metadata = metadataOf(node, window);
  return { kind: "NodeMetrics", apiVersion: API_VERSION, metadata, ...times(window), usage };
}

/** The same of a pod; `undefined` while one of its containers has no rate. */
export function podMetrics(pod: KubeObject, window: UsageWindow): PodMetrics | undefined {
  const { name = "", namespace = "" } = pod.metadata;
  const containersOf = (sample: UsageSample) => sample.pods.get(`${namespace}/${name}`);
  const containers: ContainerMetrics[] = [];
  for (const container of containersOf(window.now)?.keys() ?? []) {
    const usage = usageOf(window, (sample) => containersOf(sample)?.get(container));
    if (!usage) return undefined;
    containers.push({ name: container, usage });
  }
  if (containers.length === 0) return undefined;
  const metadata = metadataOf(pod, window);
  return { kind: "PodMetrics", apiVersion: API_VERSION, metadata, ...times(window), containers };
}

function metadataOf({ metadata }: KubeObject, { now }: UsageWindow): ObjectMeta {
  const { name = "", namespace, labels } = metadata;
  return {
    name,
    ...(namespace ? { namespace } : {}),
    creationTimestamp: formatTime(now.atMs),
    ...(labels ? { labels } : {}),
  };
}

function times({ before, now }: UsageWindow): { timestamp: string; window: string } {
  const window = formatGoDuration(BigInt(now.atMs - before.atMs) * 1_000_000n);
  return { timestamp: formatTime(now.atMs), window };
}

function usageOf(
  { before, now }: UsageWindow,
  pick: (sample: UsageSample) => Reading | undefined,
): { cpu: string; memory: string } | undefined {
  const last = pick(now);
  const first = pick(before);
  if (!last) return undefined;
  // What started within the window has used everything since then; so has what started anew.
  const isSame = first !== undefined && first.cpuNanoseconds <= last.cpuNanoseconds;
  const sinceMs = isSame ? before.atMs : last.startMs;
  if (sinceMs === 0 || now.atMs <= sinceMs) return undefined;
  const usedNanoseconds = last.cpuNanoseconds - (isSame ? first.cpuNanoseconds : 0);
  const nanocores = Math.round((usedNanoseconds * 1000) / (now.atMs - sinceMs));
  return {
    cpu: canonicalQuantity(`${nanocores}n`),
    memory: canonicalQuantity(`${Math.ceil(last.memoryBytes / 1024)}Ki`),
  };
}
