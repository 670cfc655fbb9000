import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import type { CgroupUsage } from "../../sys/cgroup.ts";
import type { NetworkCounters } from "../network/contract.ts";
import type { SandboxStats } from "../runtime/contract.ts";

/** A running pod with what its cgroups and its interface say. */
export interface PodUsage {
  pod: Pod;
  stats: SandboxStats;
  /** Absent on the node's own network. */
  network?: NetworkCounters;
  /** Absent where nobody asked for it. */
  storage?: PodStorage;
}

/** How long tasks waited for a resource: some of them, or all at once. */
export interface Stall {
  some: StallFigures;
  full: StallFigures;
}

/** Shares of the time (0 to 100) over so many seconds, and all of it in microseconds. */
export interface StallFigures {
  avg10: number;
  avg60: number;
  avg300: number;
  totalUs: number;
}

/** What a pod has on disk. */
export interface PodStorage {
  volumes: VolumeUsage[];
  /** By container name. */
  layers: Map<string, { bytes: number; inodes: number }>;
  logs: Map<string, { bytes: number; inodes: number }>;
  /** Of the node's own disk, together. */
  bytes: number;
  inodes: number;
}

/** A volume, and the file system that it lies on. */
export interface VolumeUsage {
  name: string;
  /** Name of the PersistentVolumeClaim that it belongs to. */
  claim?: string;
  bytes: number;
  inodes: number;
  fileSystem: FileSystemUsage;
}

/** Use of a file system. */
export interface FileSystemUsage {
  capacityBytes: number;
  availableBytes: number;
  usedBytes: number;
  inodes: number;
  inodesFree: number;
}

/** One reading of the whole node. */
export interface NodeUsage extends Omit<CgroupUsage, "tasks" | "throttling" | "cpuModes"> {
  name: string;
  atMs: number;
  bootMs: number;
  cpuCores: number;
  memoryCapacityBytes: number;
  memoryAvailableBytes: number;
  swapCapacityBytes: number;
  network: NetworkCounters & { name: string };
  /** On which pods' volumes, logs and writable layers lie. */
  fileSystem: FileSystemUsage;
  /** On which images lie: often the same one. */
  imageFileSystem: FileSystemUsage;
  /** Undefined where the kernel does not measure it. */
  stall: { cpu: Stall; memory: Stall; io: Stall } | undefined;
  processesMax: number;
  processes: number;
  /** Of all pods together; undefined before the first one. */
  pods: PodsUsage | undefined;
}

/** What all pods of a node use together. */
export interface PodsUsage extends Omit<CgroupUsage, "throttling"> {
  /** What they are held to, in bytes; undefined for no limit. */
  memoryMaxBytes: number | undefined;
}

/** What a node counts, by a kubelet's names without their prefix; `kubelet-tables.ts` has the labels. */
export type NodeEvent =
  | "admission_rejections_total"
  | "evictions"
  | "image_garbage_collected_total"
  | "lifecycle_handler_http_fallbacks_total"
  | "preemptions"
  | "run_podsandbox_errors_total"
  | "runtime_operations_errors_total"
  | "runtime_operations_total"
  | "started_containers_errors_total"
  | "started_containers_total"
  | "started_pods_errors_total"
  | "started_pods_total";

/** What a node measures: in seconds unless the name tells otherwise. */
export type NodeMeasure =
  | "containers_per_pod_count"
  | "image_pull_duration_seconds"
  | "pod_start_duration_seconds"
  | "pod_start_sli_duration_seconds"
  | "pod_start_total_duration_seconds"
  | "pod_status_sync_duration_seconds"
  | "pod_worker_duration_seconds"
  | "pod_worker_start_duration_seconds"
  | "run_podsandbox_duration_seconds"
  | "runtime_operations_duration_seconds";

/** What the agent counts about its own work. */
export interface AgentMetrics {
  /** Something happened; `labels` are the values of those that the counter has, in their order. */
  count(what: NodeEvent, ...labels: readonly string[]): void;
  /** Something took so many seconds, or was so many. */
  observe(what: NodeMeasure, value: number, ...labels: readonly string[]): void;
  /** A step of a pod's start, such as "create-sandbox", took so long. */
  observeStage(stage: string, seconds: number): void;
  /** The runtime has ended something that it was asked for, by a kubelet's name of it. */
  observeOperation(operation: string, outcome: OperationOutcome): void;
  /** The outcome of one attempt of a probe. */
  observeProbe(probe: ProbeAttempt): void;
  /** The pod is gone: its probes are told no more. */
  forgetProbes(pod: { name: string; namespace: string }): void;
  /** For `/metrics`. */
  families(node: string, pods: readonly Pod[]): MetricFamily[];
  /** For `/metrics/probes`. */
  probeFamilies(): MetricFamily[];
}

/** Nothing is counted. */
export const NO_METRICS: AgentMetrics = {
  count: () => {},
  observe: () => {},
  observeStage: () => {},
  observeOperation: () => {},
  observeProbe: () => {},
  forgetProbes: () => {},
  families: () => [],
  probeFamilies: () => [],
};

/** How something that the runtime was asked for ended. */
export interface OperationOutcome {
  seconds: number;
  failed: boolean;
  /** Of a sandbox that was asked for: the one of its runtime class, "" for the default. */
  handler?: string;
}

/** An attempt of a probe. */
export interface ProbeAttempt {
  container: string;
  namespace: string;
  pod: string;
  podUid: string;
  kind: "startup" | "readiness" | "liveness";
  succeeded: boolean;
  seconds: number;
}
