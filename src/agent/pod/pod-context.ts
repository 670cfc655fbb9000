import type { Node, Pod, Service } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { Informer, InformerFactory } from "../../client/informer.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Spread } from "../../sys/spread.ts";
import type { CpuManager } from "../cpu/contract.ts";
import type { NodePressure } from "../eviction/contract.ts";
import type { FarFiles } from "../far-files.ts";
import type { ImageStore } from "../image/contract.ts";
import type { AgentMetrics } from "../metrics/contract.ts";
import type { NodeNetworkFacts, PodNetwork } from "../network/contract.ts";
import type { PodTracer } from "../pod-tracer.ts";
import type { Prober } from "../probe/contract.ts";
import type { ContainerRuntime, ContainerStatus } from "../runtime/contract.ts";
import type { StaticPods } from "../static-pod/contract.ts";
import type { VolumeManager } from "../volume/contract.ts";
import type { ResourceRules } from "./pod-resources.ts";

/** The parts of the node that pods are made of. */
export interface PodParts {
  client: Client;
  informers: InformerFactory;
  /** Pods bound to this node, and no others. */
  pods: Informer<Pod>;
  services: Informer<Service>;
  runtime: ContainerRuntime;
  images: ImageStore;
  network: PodNetwork;
  volumes: VolumeManager;
  cpus: CpuManager;
  prober: Prober;
  events: EventRecorder;
  clock: Clock;
  logger: Logger;
  node: PodNodeFacts;
  admission: NodeAdmission;
  metrics: AgentMetrics;
  /** Undefined where nothing is recorded. */
  tracer?: PodTracer | undefined;
  staticPods: StaticPods;
  far: FarFiles;
  /** Makes the directories that each pod has on the disk. */
  spread: Spread;
  /** Makes a small directory that a pod may fill; see `confineFiles`. */
  confine: (directory: string) => void;
  /** Takes a directory of the node's disk away, with nothing mounted below; see `Trash`. */
  discard: (directory: string) => void;
  directories: PodDirectories;
}

/** What an executor may call back. */
export interface WorkerHooks {
  /** Something about the pod changed: plan again. */
  changed(): void;
  /** The container of this status ended. */
  exited(status: ContainerStatus): void;
}

/** What decides whether a pod may run here at all. */
export interface NodeAdmission {
  /** Undefined as long as the API has no such node. */
  node: () => Node | undefined;
  /** Kernel settings, or patterns ("net.*"), that pods may change beyond the safe ones. */
  allowedSysctls: readonly string[];
  hasAppArmor: boolean;
  pressure: () => NodePressure;
}

/** What pods are told about their node. */
export interface PodNodeFacts extends NodeNetworkFacts {
  name: string;
  hostname: string;
  memoryBytes: number;
  allocatable: Readonly<Record<string, string>>;
  rules: ResourceRules;
  /** Texts of the node's own files. */
  resolvConf: string;
  hosts: string;
}

/** Where pods live on disk. */
export interface PodDirectories {
  /** `<pods>/<uid>`: volumes and files that the agent writes. */
  pods: string;
  /** `<files>/<uid>`: the pod's files of /etc; in memory, as the agent can always write them anew. */
  files: string;
  /** `<logs>/<namespace>_<name>_<uid>/<container>/<attempt>.log`. */
  logs: string;
  /** Tells which of them are this node's, where `logs` is not for it alone; else the same. */
  logIndex: string;
  /** Profiles of type Localhost. */
  seccomp: string;
}
