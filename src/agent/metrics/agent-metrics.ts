import type { Pod } from "../../api/generated/types/core-v1.ts";
import { Histogram, type MetricFamily } from "../../lib/prometheus.ts";
import type { AgentMetrics, NodeEventCount, ProbeLabels } from "./contract.ts";

const STAGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const START_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 600];
/** A kubelet's: from 5 ms on, each two and a half times the one before. */
const OPERATION_SECONDS = Array.from({ length: 14 }, (_, at) => 0.005 * 2.5 ** at);

/** Label and help of each counter. */
const COUNTERS: Readonly<Record<NodeEventCount, readonly [label: string, help: string]>> = {
  admission_rejections_total: ["reason", "Pods that were bound here and cannot be run"],
  evictions: ["eviction_signal", "Pods that were evicted, by what there was too little of"],
  lifecycle_handler_http_fallbacks_total: ["", "Hooks over HTTPS that were taken over HTTP"],
  preemptions: ["preemption_signal", "Pods that made room for a critical one, by what it lacked"],
  started_containers_total: ["container_type", "Containers that were started"],
  started_pods_total: ["", "Pods whose sandbox was made"],
};

/** Starts at zero. */
export function createAgentMetrics(): AgentMetrics {
  const stages = new Map<string, Histogram>();
  const starts = new Histogram(START_SECONDS);
  const operations = new Map<string, { seconds: Histogram; errors: number }>();
  const probes = new Map<string, { labels: ProbeLabels; count: number }>();
  const counts = new Map<NodeEventCount, Map<string, number>>();
  return {
    count(what, of = "") {
      const values = counts.get(what) ?? new Map<string, number>();
      counts.set(what, values);
      values.set(of, (values.get(of) ?? 0) + 1);
    },
    observeStage(stage, seconds) {
      const histogram = stages.get(stage) ?? new Histogram(STAGE_SECONDS);
      stages.set(stage, histogram);
      histogram.observe(seconds);
    },
    observeOperation(operation, { seconds, failed }) {
      const known = operations.get(operation) ?? {
        seconds: new Histogram(OPERATION_SECONDS),
        errors: 0,
      };
      operations.set(operation, known);
      known.seconds.observe(seconds);
      if (failed) known.errors++;
    },
    observeStart: (seconds) => starts.observe(seconds),
    countProbe(labels) {
      const key = [labels.podUid, labels.container, labels.kind, labels.result].join("/");
      const known = probes.get(key) ?? { labels, count: 0 };
      known.count++;
      probes.set(key, known);
    },
    forgetProbes(podUid) {
      for (const [key, { labels }] of probes) if (labels.podUid === podUid) probes.delete(key);
    },
    families: (node, pods) => [
      {
        name: "kubelet_node_name",
        type: "gauge",
        help: "The node's name. The count is always 1.",
        samples: [{ labels: { node }, value: 1 }],
      },
      {
        name: "kubelet_running_pods",
        type: "gauge",
        help: "Number of pods that have a running pod sandbox",
        samples: [{ value: pods.filter(hasSandbox).length }],
      },
      {
        name: "kubelet_running_containers",
        type: "gauge",
        help: "Number of containers currently running",
        samples: containerStates(pods),
      },
      {
        name: "kubelet_pod_start_duration_seconds",
        type: "histogram",
        help: "Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run",
        samples: starts.samples(),
      },
      ...operationFamilies(operations),
      {
        name: "nephos_pod_start_stage_seconds",
        type: "histogram",
        help: "Duration in seconds of one step on a pod's way",
        samples: [...stages].flatMap(([stage, histogram]) => histogram.samples({ stage })),
      },
      ...[...counts].map(([what, values]): MetricFamily => {
        const [label, help] = COUNTERS[what];
        const samples = Array.from(values, ([of, value]) =>
          label ? { labels: { [label]: of }, value } : { value },
        );
        return { name: `kubelet_${what}`, type: "counter", help, samples };
      }),
    ],
    probeFamilies: () => [
      {
        name: "prober_probe_total",
        type: "counter",
        help: "Cumulative number of a liveness, readiness or startup probe for a container by result.",
        samples: [...probes.values()].map(({ labels, count }) => ({
          labels: {
            container: labels.container,
            namespace: labels.namespace,
            pod: labels.pod,
            pod_uid: labels.podUid,
            probe_type: labels.kind,
            result: labels.result,
          },
          value: count,
        })),
      },
    ],
  };
}

function operationFamilies(
  operations: ReadonlyMap<string, { seconds: Histogram; errors: number }>,
): MetricFamily[] {
  const counted = (of: (one: { seconds: Histogram; errors: number }) => number) =>
    Array.from(operations, ([type, one]) => ({ labels: { operation_type: type }, value: of(one) }));
  return [
    {
      name: "kubelet_runtime_operations_total",
      type: "counter",
      help: "What the runtime was asked for, by type",
      samples: counted(({ seconds }) => seconds.count),
    },
    {
      name: "kubelet_runtime_operations_errors_total",
      type: "counter",
      help: "What of it failed, by type",
      samples: counted(({ errors }) => errors).filter(({ value }) => value > 0),
    },
    {
      name: "kubelet_runtime_operations_duration_seconds",
      type: "histogram",
      help: "How long it took, in seconds, by type",
      samples: [...operations].flatMap(([type, { seconds }]) =>
        seconds.samples({ operation_type: type }),
      ),
    },
  ];
}

/** One whose init containers run has its sandbox already; one that has ended has none. */
function hasSandbox({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: is }) => type === "PodReadyToStartContainers" && is === "True",
  );
}

/** Of all kinds, as the runtime counts them. */
function containerStates(pods: readonly Pod[]): MetricFamily["samples"] {
  const counts = new Map([
    ["running", 0],
    ["exited", 0],
  ]);
  for (const { status } of pods) {
    const all = [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
      ...(status?.ephemeralContainerStatuses ?? []),
    ];
    for (const { state } of all) {
      const name = state?.running ? "running" : state?.terminated ? "exited" : undefined;
      if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].map(([name, value]) => ({ labels: { container_state: name }, value }));
}
