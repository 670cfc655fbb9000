import type { MetricFamily, Sample } from "../../lib/prometheus.ts";
import type { NodeUsage, PodUsage } from "./contract.ts";

/** What `/metrics/resource` tells: the little that the resource metrics API is made from. */
export function resourceMetrics(node: NodeUsage, pods: readonly PodUsage[]): MetricFamily[] {
  const nodeSample = (value: number): Sample[] => [{ value, atMs: node.atMs }];
  const podSamples = (of: (usage: PodUsage) => number): Sample[] =>
    pods.map((usage) => ({
      labels: podLabels(usage),
      value: of(usage),
      atMs: usage.stats.atMs,
    }));
  const containerSamples = (of: (container: ContainerUsage) => number, timed = true): Sample[] =>
    pods.flatMap((usage) =>
      usage.stats.containers.map((container) => ({
        labels: { container: container.name, ...podLabels(usage) },
        value: of(container),
        ...(timed ? { atMs: usage.stats.atMs } : {}),
      })),
    );
  const seconds = (nanoseconds: number) => nanoseconds / 1e9;
  return [
    {
      name: "container_cpu_usage_seconds_total",
      type: "counter",
      help: "Cumulative cpu time consumed by the container in core-seconds",
      samples: containerSamples(({ cpuNanoseconds }) => seconds(cpuNanoseconds)),
    },
    {
      name: "container_memory_working_set_bytes",
      type: "gauge",
      help: "Current working set of the container in bytes",
      samples: containerSamples(({ workingSetBytes }) => workingSetBytes),
    },
    {
      name: "container_start_time_seconds",
      type: "gauge",
      help: "Start time of the container since unix epoch in seconds",
      samples: containerSamples(({ startedAtMs }) => startedAtMs / 1000, false),
    },
    {
      name: "node_cpu_usage_seconds_total",
      type: "counter",
      help: "Cumulative cpu time consumed by the node in core-seconds",
      samples: nodeSample(seconds(node.cpuNanoseconds)),
    },
    {
      name: "node_memory_working_set_bytes",
      type: "gauge",
      help: "Current working set of the node in bytes",
      samples: nodeSample(node.workingSetBytes),
    },
    {
      name: "pod_cpu_usage_seconds_total",
      type: "counter",
      help: "Cumulative cpu time consumed by the pod in core-seconds",
      samples: podSamples(({ stats }) => seconds(stats.cpuNanoseconds)),
    },
    {
      name: "pod_memory_working_set_bytes",
      type: "gauge",
      help: "Current working set of the pod in bytes",
      samples: podSamples(({ stats }) => stats.workingSetBytes),
    },
    {
      name: "container_swap_usage_bytes",
      type: "gauge",
      help: "Current amount of the container swap usage in bytes. Reported only on non-windows systems",
      samples: containerSamples(({ swapBytes = 0 }) => swapBytes),
    },
    {
      name: "node_swap_usage_bytes",
      type: "gauge",
      help: "Current swap usage of the node in bytes. Reported only on non-windows systems",
      samples: nodeSample(node.swapBytes ?? 0),
    },
    {
      name: "pod_swap_usage_bytes",
      type: "gauge",
      help: "Current amount of the pod swap usage in bytes. Reported only on non-windows systems",
      samples: podSamples(({ stats }) => stats.swapBytes ?? 0),
    },
    ...["scrape_error", "resource_scrape_error"].map(
      (name): MetricFamily => ({
        name,
        type: "gauge",
        help: "1 if there was an error while getting container metrics, 0 otherwise",
        samples: [{ value: 0 }],
      }),
    ),
  ];
}

type ContainerUsage = PodUsage["stats"]["containers"][number];

/** Labels of a pod's metrics. */
export function podLabels({ pod }: PodUsage): { namespace: string; pod: string } {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  return { namespace, pod: name };
}
