import type {
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "../../api/generated/types/autoscaling-v2.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { compileLabelSelector, formatLabelSelector } from "../../lib/labels.ts";
import { canonicalQuantity, quantityToMilli } from "../../lib/quantity.ts";
import type { MetricName, MetricSource } from "./metric-source.ts";
import type { PodValue } from "./pod-groups.ts";
import {
  MetricError,
  type PodsMetric,
  type Recommendation,
  replicasForAverage,
  replicasForShare,
  replicasForUtilization,
  replicasForValue,
} from "./replica-calculator.ts";
import type { ScaleTargets } from "../scale-target.ts";
import { selectorText } from "./selector-table.ts";

/** What one metric asks for. */
export interface Proposal {
  replicas: number;
  /** For messages: "cpu resource utilization (percentage of request)". */
  name: string;
  status: MetricStatus;
}

/** What proposals are made from. */
export interface ProposalContext {
  source: MetricSource;
  targets: ScaleTargets;
  namespace: string;
  /** Of the target's pods. */
  selector: string;
  pods: readonly Pod[];
  currentReplicas: number;
  /** What the target says to have, for shares of one value. */
  statusReplicas: number;
  nowMs: number;
}

/** Reason of the condition when a metric of this type cannot be used. */
export function failureReason(spec: MetricSpec): string {
  return `FailedGet${spec.type}Metric`;
}

/** What could not be had, before the reason: "failed to get cpu resource metric value". */
export function failedValue(spec: MetricSpec): string {
  const { resource, containerResource, object, external } = spec;
  switch (spec.type) {
    case "Resource":
      return `failed to get ${resource?.name} resource metric value`;
    case "ContainerResource":
      return `failed to get ${containerResource?.container} container metric value`;
    case "External": {
      const name = external?.metric.name;
      const isShare = external?.target.averageValue !== undefined;
      const inner = isShare ? `${name} external metric` : `external metric ${name}`;
      return `failed to get ${name} external metric value: failed to get ${inner}`;
    }
    case "Object": {
      const isShare = object?.target.averageValue !== undefined;
      const inner = isShare ? `: failed to get ${object.metric.name} object metric` : "";
      return `failed to get object metric value${inner}`;
    }
    default:
      return `failed to get ${spec.type.toLowerCase()} metric value`;
  }
}

/** The same failure, with what it kept from being done before it. */
async function explained<T>(work: () => T | Promise<T>, what: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MetricError(`${what}: ${why}`, { cause: error });
  }
}

/** Asks for a metric and calculates with it. @throws MetricError */
export function proposeReplicas(spec: MetricSpec, context: ProposalContext): Promise<Proposal> {
  switch (spec.type) {
    case "Resource":
      return ofResource(spec, spec.resource, context);
    case "ContainerResource":
      return ofResource(spec, spec.containerResource, context);
    case "Pods":
      return ofPods(spec, context);
    case "Object":
      return ofObject(spec, context);
    case "External":
      return ofExternal(spec, context);
    default:
      throw new MetricError(`unknown metric source type "${spec.type}"`);
  }
}

async function ofResource(
  spec: MetricSpec,
  source: { name: string; target: MetricTarget; container?: string } | undefined,
  context: ProposalContext,
): Promise<Proposal> {
  if (!source) throw new MetricError(`a metric of type ${spec.type} needs its source`);
  const { name, target, container } = source;
  const only = container === undefined ? {} : { container };
  const of = container === undefined ? `${name} resource` : `${name} container resource`;
  const { averageValue, averageUtilization: percent } = target;
  if (percent === undefined && averageValue === undefined) {
    throw new MetricError(
      "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set",
    );
  }
  const recommend = async (): Promise<Recommendation> => {
    const values = await explained(
      () => context.source.resource(name, { ...context, ...only }),
      `unable to get metrics for resource ${name}`,
    );
    const metric = podsMetric(context, { values, resource: name });
    return percent === undefined
      ? replicasForAverage(metric, quantityToMilli(averageValue ?? "0"))
      : replicasForUtilization(metric, { targetPercent: percent, ...only });
  };
  const kind = percent === undefined ? "usage" : "utilization";
  const found = await explained(recommend, `failed to get ${name} ${kind}`);
  const current = {
    averageValue: milliText(found.averageMilli),
    ...(found.utilization === undefined ? {} : { averageUtilization: found.utilization }),
  };
  const status: MetricStatus =
    container === undefined
      ? { type: "Resource", resource: { name, current } }
      : { type: "ContainerResource", containerResource: { name, container, current } };
  const suffix = percent === undefined ? "" : " utilization (percentage of request)";
  return { replicas: found.replicas, name: `${of}${suffix}`, status };
}

async function ofPods(spec: MetricSpec, context: ProposalContext): Promise<Proposal> {
  const { metric, target } = sourceOf(spec, spec.pods);
  const values = await explained(
    () => context.source.pods(nameOf(metric), context),
    `unable to get metric ${metric.name}`,
  );
  const found = replicasForAverage(
    podsMetric(context, { values, resource: "" }),
    targetOf(target.averageValue),
  );
  const current = { averageValue: milliText(found.averageMilli) };
  const status = { type: "Pods", pods: { metric, current } };
  return { replicas: found.replicas, name: `pods metric ${metric.name}`, status };
}

async function ofObject(spec: MetricSpec, context: ProposalContext): Promise<Proposal> {
  const { metric, target, describedObject } = sourceOf(spec, spec.object);
  const { namespace } = context;
  const { kind, name: object } = describedObject;
  const milli = await explained(async () => {
    const { plural, group } = await context.targets.resource(describedObject);
    const resource = group ? `${plural}.${group}` : plural;
    return context.source.object(nameOf(metric), { namespace, resource, name: object });
  }, `unable to get metric ${metric.name} on ${kind} ${namespace}/${object}`);
  const { replicas, current } = ofOneValue(milli, { target, context });
  const name =
    target.averageValue === undefined ? `${kind} metric ${metric.name}` : externalName(metric);
  return {
    replicas,
    name,
    status: { type: "Object", object: { metric, current, describedObject } },
  };
}

async function ofExternal(spec: MetricSpec, context: ProposalContext): Promise<Proposal> {
  const { metric, target } = sourceOf(spec, spec.external);
  const { namespace } = context;
  const values = await explained(
    () => context.source.external(nameOf(metric), namespace),
    `unable to get external metric ${namespace}/${metric.name}/${selectorText(metric.selector)}`,
  );
  const milli = values.reduce((sum, value) => sum + value, 0);
  const { replicas, current } = ofOneValue(milli, { target, context });
  const name = externalName(metric);
  return { replicas, name, status: { type: "External", external: { metric, current } } };
}

/** Upstream calls every share of one value so. */
function externalName({ name, selector }: MetricIdentifier): string {
  return `external metric ${name}(${selectorText(selector)})`;
}

function ofOneValue(
  milli: number,
  { target, context }: { target: MetricTarget; context: ProposalContext },
): { replicas: number; current: { value: string } | { averageValue: string } } {
  if (target.averageValue !== undefined) {
    const targetMilli = targetOf(target.averageValue);
    const share = Math.ceil(milli / Math.max(1, context.statusReplicas));
    const replicas = replicasForShare(context.statusReplicas, { milli, targetMilli });
    return { replicas, current: { averageValue: milliText(share) } };
  }
  const replicas = replicasForValue(context, { milli, targetMilli: targetOf(target.value) });
  return { replicas, current: { value: milliText(milli) } };
}

function podsMetric(
  { pods, currentReplicas, nowMs }: ProposalContext,
  of: { values: ReadonlyMap<string, PodValue>; resource: string },
): PodsMetric {
  return { pods, currentReplicas, nowMs, ...of };
}

function sourceOf<T>(spec: MetricSpec, source: T | undefined): T {
  if (source) return source;
  throw new MetricError(`a metric of type ${spec.type} needs its source`);
}

function targetOf(text: string | undefined): number {
  const milli = text === undefined ? 0 : quantityToMilli(text);
  if (milli > 0) return milli;
  throw new MetricError("invalid metric target: it must be positive");
}

function nameOf({ name, selector }: MetricIdentifier): MetricName {
  const requirements = selector ? compileLabelSelector(selector) : undefined;
  return { name, selector: requirements ? formatLabelSelector(requirements) : "" };
}

function milliText(milli: number): string {
  return canonicalQuantity(`${Math.round(milli)}m`);
}
