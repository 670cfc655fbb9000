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

/** What happened on a node, by a kubelet's names without their prefix. */
export type NodeEventCount =
  | "admission_rejections_total"
  | "evictions"
  | "lifecycle_handler_http_fallbacks_total"
  | "preemptions"
  | "started_containers_total"
  | "started_pods_total";

/** What the agent counts about its own work. */
export interface AgentMetrics {
  /** Something happened; `of` is the value of the label that the counter has, if it has one. */
  count(what: NodeEventCount, of?: string): void;
  /** A step of a pod's start, such as "create-sandbox", took so long. */
  observeStage(stage: string, seconds: number): void;
  /** From the agent's first sight of a pod until it said that all of it runs. */
  observeStart(seconds: number): void;
  /** The runtime has ended something that it was asked for, by a kubelet's name of it. */
  observeOperation(operation: string, outcome: { seconds: number; failed: boolean }): void;
  /** The outcome of one attempt of a probe. */
  countProbe(labels: ProbeLabels): void;
  /** The container is gone: its probes are told no more. */
  forgetProbes(podUid: string): void;
  /** For `/metrics`. */
  families(node: string, pods: readonly Pod[]): MetricFamily[];
  /** For `/metrics/probes`. */
  probeFamilies(): MetricFamily[];
}

/** Labels of `prober_probe_total`, as a kubelet has them. */
export interface ProbeLabels {
  container: string;
  namespace: string;
  pod: string;
  podUid: string;
  kind: string;
  result: "successful" | "failed";
}
