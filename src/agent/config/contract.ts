import type { Taint } from "../../api/generated/types/core-v1.ts";
import type { CpuPolicy, TopologyPolicy } from "../cpu/contract.ts";
import type { EvictionRules } from "../eviction/contract.ts";
import type { ImageCollectionRules, PullRules } from "../image/contract.ts";
import type { ShutdownStage } from "../shutdown/contract.ts";
import type { ConfigurationFields } from "./configuration-in-force.ts";
import type { TracingRules } from "./tracing-configuration.ts";

/** How a node treats its pods: a kubelet's configuration, checked, in the agent's units. */
export interface AgentConfiguration {
  /** Fewest of `maxPods` and `podsPerCore`. */
  podsMax: number;
  /** Processes and threads of one pod; undefined is no limit. */
  podPidsMax: number | undefined;
  logLimits: { maxBytes: number; maxFiles: number; everyMs: number };
  eviction: EvictionRules;
  imageCollection: ImageCollectionRules;
  pullRules: PullRules;
  reservation: NodeReservation;
  shutdown: readonly ShutdownStage[];
  cpus: CpuRules;
  /** Beside the directory of the node itself; undefined for none. */
  staticPodPath: string | undefined;
  /** Where each pod's logs have a directory; undefined for the place of this instance. */
  podLogsDir: string | undefined;
  allowedSysctls: readonly string[];
  /** What a Node is registered with. */
  taints: readonly Taint[];
  providerId: string | undefined;
  /** How the API is kept informed. */
  reporting: ReportingRules;
  /** Whether CPU limits are quotas, and in which period. */
  cpuQuota: { enforced: boolean; periodUs: number };
  /** After this long without traffic, a stream is closed. */
  streamIdleMs: number;
  /** Undefined where nothing is recorded. */
  tracing: TracingRules | undefined;
  /** All of it as a `KubeletConfiguration`, for those who ask the node. */
  inForce: ConfigurationFields;
}

/** Who gets CPUs of its own, and what is asked of NUMA nodes. */
export interface CpuRules {
  policy: CpuPolicy;
  /** Who gets CPUs of its own gets whole cores, or does not run here. */
  wholeCores: boolean;
  topologyPolicy: TopologyPolicy;
  scope: "container" | "pod";
}

/** What of the node is not for pods; amounts by resource name, CPU in thousandths. */
export interface NodeReservation {
  kube: ReadonlyMap<string, number>;
  system: ReadonlyMap<string, number>;
  /** CPUs that no pod gets for itself, such as "0-1,4"; "" for none. */
  cpus: string;
  /** All pods together are held to what is allocatable. */
  enforced: boolean;
}

/** How often, and how much of, the node's status is told. */
export interface ReportingRules {
  heartbeatMs: number;
  /** An unchanged status is written this often. */
  reportMs: number;
  leaseSeconds: number;
  /** -1 is all. */
  imagesMax: number;
}
