import { fieldOf, type KubeObject } from "../kube-object.ts";
import type { View } from "./view.ts";

type Metric = Record<string, unknown>;

const CPU_SPEC = "targetCPUUtilizationPercentage";
const CPU_STATUS = "currentCPUUtilizationPercentage";

function metricsOf(part: Record<string, unknown>, field: string): Metric[] {
  return Array.isArray(part[field]) ? (part[field] as Metric[]) : [];
}

/** Average CPU utilization, the one metric that version 1 knows. */
function isCpu(metric: Metric): boolean {
  const resource = fieldOf(metric, "resource");
  return metric["type"] === "Resource" && resource["name"] === "cpu";
}

function utilizationOf(metrics: Metric[], field: "target" | "current"): unknown {
  const cpu = metrics.find(isCpu);
  return cpu && fieldOf(fieldOf(cpu, "resource"), field)["averageUtilization"];
}

function cpuMetric(field: "target" | "current", averageUtilization: unknown): Metric {
  const value =
    field === "target"
      ? { type: "Utilization", averageUtilization }
      : { averageUtilization, averageValue: "0" };
  return { type: "Resource", resource: { name: "cpu", [field]: value } };
}

/** What version 1 cannot say rides along in an annotation. */
const REST = "nephos.dev/autoscaling-v2";

function withRest(object: KubeObject, rest: Record<string, unknown>): KubeObject {
  const { [REST]: _, ...annotations } = object.metadata.annotations ?? {};
  const kept = Object.keys(rest).length > 0 ? { [REST]: JSON.stringify(rest) } : {};
  const all = { ...annotations, ...kept };
  const { annotations: __, ...metadata } = object.metadata;
  const hasAny = Object.keys(all).length > 0;
  return { ...object, metadata: hasAny ? { ...metadata, annotations: all } : metadata };
}

function restOf(object: KubeObject): Record<string, unknown> {
  try {
    const text = object.metadata.annotations?.[REST];
    return text ? (JSON.parse(text) as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function toVersion1(stored: KubeObject): KubeObject {
  const { metrics: _, behavior, ...spec } = fieldOf(stored, "spec");
  const { currentMetrics: __, conditions, ...status } = fieldOf(stored, "status");
  const metrics = metricsOf(fieldOf(stored, "spec"), "metrics");
  const current = metricsOf(fieldOf(stored, "status"), "currentMetrics");
  const target = utilizationOf(metrics, "target");
  const seen = utilizationOf(current, "current");
  const others = metrics.filter((metric) => !isCpu(metric));
  const rest = {
    ...(behavior === undefined ? {} : { behavior }),
    ...(others.length > 0 ? { metrics: others } : {}),
    ...(conditions === undefined ? {} : { conditions }),
  };
  const object = {
    ...stored,
    apiVersion: "autoscaling/v1",
    spec: { ...spec, ...(target === undefined ? {} : { [CPU_SPEC]: target }) },
    status: {
      // This version tells of none, too.
      currentReplicas: 0,
      ...status,
      ...(seen === undefined ? {} : { [CPU_STATUS]: seen }),
    },
  };
  return withRest(object, rest);
}

function toVersion2(object: KubeObject): KubeObject {
  const { [CPU_SPEC]: target, ...spec } = fieldOf(object, "spec");
  const { [CPU_STATUS]: seen, currentReplicas, ...status } = fieldOf(object, "status");
  const { behavior, metrics, conditions } = restOf(object);
  const others = Array.isArray(metrics) ? (metrics as Metric[]) : [];
  const all = [...(target === undefined ? [] : [cpuMetric("target", target)]), ...others];
  const stored = {
    ...object,
    apiVersion: "autoscaling/v2",
    spec: {
      ...spec,
      ...(all.length > 0 ? { metrics: all } : {}),
      ...(behavior === undefined ? {} : { behavior }),
    },
    status: {
      ...(currentReplicas ? { currentReplicas } : {}),
      ...status,
      ...(seen === undefined ? {} : { currentMetrics: [cpuMetric("current", seen)] }),
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
  return withRest(stored, {});
}

/** `autoscaling/v1` shows autoscalers, which are stored as `autoscaling/v2`. */
export const AUTOSCALER_VIEW: View = {
  storage: "autoscaling/horizontalpodautoscalers",
  storedAs: "autoscaling/v2",
  fromStored: toVersion1,
  toStored: toVersion2,
};
