import { MetricTable } from "../../lib/metric-table.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import type { AgentMetrics } from "./contract.ts";
import { EVENTS, MEASURES, PROBES } from "./kubelet-tables.ts";
import { podCounts } from "./pod-counts.ts";

const STAGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** As a kubelet's prober names them. */
const PROBE_TYPES = { startup: "Startup", readiness: "Readiness", liveness: "Liveness" } as const;

/** Starts at zero. */
export function createAgentMetrics(): AgentMetrics {
  const kubelet = new MetricTable("kubelet_", { ...EVENTS, ...MEASURES });
  const probes = new MetricTable("prober_", PROBES);
  const stages = new MetricTable("nephos_", {
    pod_start_stage_seconds: {
      help: "How long one step on a pod's way took.",
      labels: ["stage"],
      bounds: STAGE_SECONDS,
    },
  });
  return {
    count: (what, ...labels) => kubelet.count(what, ...labels),
    observe: (what, value, ...labels) => kubelet.observe(what, value, ...labels),
    observeStage: (stage, seconds) => stages.observe("pod_start_stage_seconds", seconds, stage),
    observeOperation(operation, { seconds, failed, handler }) {
      kubelet.count("runtime_operations_total", operation);
      kubelet.observe("runtime_operations_duration_seconds", seconds, operation);
      if (failed) kubelet.count("runtime_operations_errors_total", operation);
      if (handler === undefined) return;
      kubelet.observe("run_podsandbox_duration_seconds", seconds, handler);
      if (failed) kubelet.count("run_podsandbox_errors_total", handler);
    },
    observeProbe({ container, namespace, pod, podUid, kind, succeeded, seconds }) {
      const labels = [PROBE_TYPES[kind], container, pod, namespace] as const;
      probes.count("probe_total", ...labels, podUid, succeeded ? "successful" : "failed");
      if (succeeded) probes.observe("probe_duration_seconds", seconds, ...labels);
    },
    forgetProbes: ({ name, namespace }) => probes.forget({ pod: name, namespace }),
    families: (node, pods) => [
      {
        name: "kubelet_node_name",
        type: "gauge",
        help: "The name of the node; always 1.",
        samples: [{ labels: { node }, value: 1 }],
      },
      ...podCounts(pods),
      ...kubelet.families(),
      ...stages.families(),
    ],
    probeFamilies: (): MetricFamily[] => probes.families(),
  };
}
