import type { MetricShape } from "../../lib/metric-table.ts";
import { USUAL_SECONDS } from "../../lib/prometheus.ts";
import type { NodeEvent, NodeMeasure } from "./contract.ts";

/** A kubelet's for what takes a pod to start, and before them those in which pods start here. */
const START_SECONDS = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300,
  360, 480, 600, 900, 1200, 1800, 2700, 3600,
];
const PULL_SECONDS = [
  1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];
/** From 5 ms on, each two and a half times the one before. */
const OPERATION_SECONDS = Array.from({ length: 14 }, (_, at) => 0.005 * 2.5 ** at);
const STATUS_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60];

/** What a node counts, by a kubelet's names without their prefix. */
export const EVENTS: Readonly<Record<NodeEvent, MetricShape>> = {
  admission_rejections_total: {
    help: "Pods that were bound here and cannot be run.",
    labels: ["reason"],
  },
  evictions: {
    help: "Pods that were evicted, by what there was too little of.",
    labels: ["eviction_signal"],
  },
  image_garbage_collected_total: {
    help: "Images that were removed because nobody used them, by what it was for.",
    labels: ["reason"],
  },
  lifecycle_handler_http_fallbacks_total: {
    help: "Hooks over HTTPS that were taken over HTTP.",
    labels: [],
  },
  preemptions: {
    help: "Pods that made room for a critical one, by what it lacked.",
    labels: ["preemption_signal"],
  },
  run_podsandbox_errors_total: {
    help: "Sandboxes that could not be made, by handler.",
    labels: ["runtime_handler"],
  },
  runtime_operations_errors_total: {
    help: "What the runtime was asked for and failed, by type.",
    labels: ["operation_type"],
  },
  runtime_operations_total: {
    help: "What the runtime was asked for, by type.",
    labels: ["operation_type"],
  },
  started_containers_errors_total: {
    help: "Containers that could not be started, by the reason that their status tells.",
    labels: ["container_type", "code"],
  },
  started_containers_total: {
    help: "Containers that were started.",
    labels: ["container_type"],
  },
  started_pods_errors_total: { help: "Pods whose sandbox could not be made.", labels: [] },
  started_pods_total: { help: "Pods whose sandbox was made.", labels: [] },
};

/** What it measures, in seconds unless the name tells otherwise. */
export const MEASURES: Readonly<Record<NodeMeasure, MetricShape>> = {
  containers_per_pod_count: {
    help: "Containers of each pod that came.",
    labels: [],
    bounds: [1, 2, 4, 8, 16],
  },
  image_pull_duration_seconds: {
    help: "How long pulls of images took, by size.",
    labels: ["image_size_in_bytes"],
    bounds: PULL_SECONDS,
  },
  pod_start_duration_seconds: {
    help: "From the node's first sight of a pod until its containers ran.",
    labels: [],
    bounds: START_SECONDS,
  },
  pod_start_sli_duration_seconds: {
    help: "From a stateless pod's creation until all its containers ran, without pulls and init.",
    labels: [],
    bounds: START_SECONDS,
  },
  pod_start_total_duration_seconds: {
    help: "From a pod's creation until all its containers ran.",
    labels: [],
    bounds: START_SECONDS,
  },
  pod_status_sync_duration_seconds: {
    help: "From a change of a pod's status until the API server had it.",
    labels: [],
    bounds: STATUS_SECONDS,
  },
  pod_worker_duration_seconds: {
    help: "How long the node worked on a pod until all was as it should be, by what it did.",
    labels: ["operation_type"],
    bounds: USUAL_SECONDS,
  },
  pod_worker_start_duration_seconds: {
    help: "From the node's first sight of a pod until it began to work on it.",
    labels: [],
    bounds: USUAL_SECONDS,
  },
  run_podsandbox_duration_seconds: {
    help: "How long sandboxes took to make, by handler.",
    labels: ["runtime_handler"],
    bounds: USUAL_SECONDS,
  },
  runtime_operations_duration_seconds: {
    help: "How long the runtime took for what it was asked for, by type.",
    labels: ["operation_type"],
    bounds: OPERATION_SECONDS,
  },
};

/** What probes did, under the names of a kubelet's prober. */
export const PROBES: Readonly<Record<"probe_duration_seconds" | "probe_total", MetricShape>> = {
  probe_duration_seconds: {
    help: "How long containers took to answer a probe that did not fail.",
    labels: ["probe_type", "container", "pod", "namespace"],
    bounds: USUAL_SECONDS,
  },
  probe_total: {
    help: "Attempts of probes, by result.",
    labels: ["probe_type", "container", "pod", "namespace", "pod_uid", "result"],
  },
};
