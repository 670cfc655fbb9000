import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import path from "node:path";
import { NODES, PODS, SERVICES } from "../api/generated/resources.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import { createEventRecorder } from "../client/api-event-recorder.ts";
import type { Client } from "../client/client.ts";
import type { InformerFactory } from "../client/informer.ts";
import { Cleanup } from "../lib/cleanup.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import { DEFAULT_THRESHOLDS, NO_PRESSURE, type EvictionThresholds } from "./eviction/contract.ts";
import type { EvictionManager } from "./eviction/eviction-manager.ts";
import type { DownwardFacts } from "./field-reference.ts";
import type { ImageStore } from "./image/contract.ts";
import { readNodeUsage } from "./metrics/node-usage.ts";
import { startNodePressure } from "./node-pressure.ts";
import { createAgentMetrics } from "./metrics/agent-metrics.ts";
import type { AgentMetrics } from "./metrics/contract.ts";
import type { NodeNetworkFacts, PodNetwork } from "./network/contract.ts";
import { readCapacity } from "./node/node-facts.ts";
import { type NodeStatusKeeper, startNodeStatus } from "./node/node-status.ts";
import { confineFiles } from "./pod/confined-files.ts";
import { DEFAULT_LOG_LIMITS, type LogLimits, startLogRotation } from "./pod/log-rotation.ts";
import type { PodNodeFacts } from "./pod/pod-context.ts";
import { createPodManager } from "./pod/pod-manager.ts";
import { createProber, type Surroundings } from "./probe/prober.ts";
import type { ContainerRuntime } from "./runtime/contract.ts";
import { followManifests } from "./static-pod/manifest-directory.ts";
import { createStreamBackend } from "./stream-backend.ts";
import type { StreamBackend } from "./stream/contract.ts";
import { readLog } from "./stream/log-reader.ts";
import { createVolumeManager } from "./volume/volume-manager.ts";

/** What a node agent is made of. The caller owns the parts that it passes in. */
export interface AgentOptions {
  nodeName: string;
  client: Client;
  informers: InformerFactory;
  runtime: ContainerRuntime;
  images: ImageStore;
  network: PodNetwork;
  facts: NodeNetworkFacts;
  /**
   * `pods/`, `logs/` and `volumes/` lie below it. With mounts of its own, the process must have given
   * it to `enterPrivateMounts`, or the volumes of running pods die with the agent.
   */
  stateDirectory: string;
  /** Every file in it is a static pod; created. */
  manifestDirectory: string;
  /** Files that need not survive a reboot; in memory. */
  runDirectory: string;
  /** Port of the HTTPS endpoint that serves `streams`. */
  endpointPort: number;
  versions: { kubelet: string; runtime: string };
  /** How much of each container's output is kept; upstream's defaults when absent. */
  logLimits?: LogLimits;
  /** When pods are evicted; a kubelet's hard thresholds when absent. */
  evictionThresholds?: EvictionThresholds;
  /** Kernel settings, or patterns ("net.*"), that pods may change beyond the safe ones. */
  allowedSysctls?: readonly string[];
  clock: Clock;
  random: Random;
  logger: Logger;
}

const APP_ARMOR = "/sys/kernel/security/apparmor";

/** A running agent. Disposing it leaves the containers running: the next agent adopts them. */
export interface Agent extends AsyncDisposable {
  /** Resolves when the API has the node's first complete status: from then on it is Ready. */
  readonly ready: Promise<void>;
  /** What the node's HTTPS endpoint serves. */
  readonly streams: StreamBackend;
}

/** Adopts what runs, follows the API, reports the node. Resolves when pods are being worked on. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { nodeName, client, informers, runtime, images, network, clock, random, logger } = options;
  const { stateDirectory, facts, versions } = options;
  const directories = {
    pods: path.join(stateDirectory, "pods"),
    files: path.join(options.runDirectory, "pods"),
    logs: path.join(stateDirectory, "logs"),
    seccomp: path.join(stateDirectory, "seccomp"),
  };
  // Containers reach their volumes through these, whatever user they run as.
  for (const directory of Object.values(directories)) {
    mkdirSync(directory, { recursive: true, mode: 0o711 });
  }
  const { capacity, allocatable } = readCapacity(stateDirectory);
  const factsOf = (pod: Pod): DownwardFacts => {
    const podIp = pod.spec?.hostNetwork ? facts.nodeIp : podIpOf(network, pod);
    return { hostIp: facts.nodeIp, allocatable, ...(podIp ? { podIp } : {}) };
  };
  await using cleanup = new Cleanup();
  const events = cleanup.use(
    createEventRecorder({ client, clock, random, logger, component: "kubelet", host: nodeName }),
  );
  const metrics = createAgentMetrics();
  const localDirectory = path.join(stateDirectory, "volumes");
  const volumes = cleanup.use(
    createVolumeManager({ client, informers, clock, factsOf, localDirectory, logger }),
  );
  const { manifestDirectory: directory } = options;
  const staticPods = cleanup.use(followManifests({ directory, nodeName, clock, logger }));
  const nodes = cleanup.use(informers.informer(NODES));
  const keeper: { eviction?: EvictionManager; status?: NodeStatusKeeper } = {};
  const pressure = () => keeper.eviction?.pressure() ?? NO_PRESSURE;
  const manager = cleanup.use(
    createPodManager({
      client,
      informers,
      pods: cleanup.use(informers.informer(PODS, { fieldSelector: `spec.nodeName=${nodeName}` })),
      services: cleanup.use(informers.informer(SERVICES)),
      runtime,
      images,
      network,
      volumes,
      prober: createProber({ runtime, clock, onAttempt: probeCounter(metrics) }),
      metrics,
      staticPods,
      confine: confineFiles,
      events,
      clock,
      logger,
      node: nodeFacts(options, allocatable),
      admission: {
        node: () => nodes.get(undefined, nodeName),
        pressure,
        allowedSysctls: options.allowedSysctls ?? [],
        hasAppArmor: existsSync(APP_ARMOR),
      },
      directories,
    }),
  );
  await nodes.synced;
  await manager.start();
  const limits = options.logLimits ?? DEFAULT_LOG_LIMITS;
  cleanup.use(startLogRotation({ runtime, clock, logger, limits }));
  const readNode = () =>
    readNodeUsage({ name: nodeName, nowMs: clock.now(), directory: stateDirectory });
  keeper.eviction = cleanup.use(
    startNodePressure({
      manager,
      runtime,
      volumes,
      readNode,
      thresholds: options.evictionThresholds ?? DEFAULT_THRESHOLDS,
      clock,
      logger,
      onPressure: () => keeper.status?.refresh(),
    }),
  );
  const status = cleanup.use(
    startNodeStatus({
      client,
      informers,
      clock,
      logger,
      name: nodeName,
      ip: facts.nodeIp,
      agentPort: options.endpointPort,
      capacity,
      allocatable,
      versions,
      images,
      pressure,
      problem: () => undefined,
    }),
  );
  keeper.status = status;
  const streams = createStreamBackend({
    manager,
    runtime,
    network,
    nodeName,
    readLog,
    metrics,
    readNode,
  });
  const owned = cleanup.move();
  return {
    ready: status.reported,
    streams,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function probeCounter(metrics: AgentMetrics): NonNullable<Surroundings["onAttempt"]> {
  return ({ pod, container }, kind, succeeded) => {
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    const result = succeeded ? "successful" : "failed";
    const { name: containerName } = container;
    metrics.countProbe({
      container: containerName,
      namespace,
      pod: name,
      podUid: uid,
      kind,
      result,
    });
  };
}

function podIpOf(network: PodNetwork, pod: Pod): string | undefined {
  return network.attachment(pod.metadata?.uid ?? "")?.ip;
}

function nodeFacts(
  { nodeName, facts }: AgentOptions,
  allocatable: Readonly<Record<string, string>>,
): PodNodeFacts {
  return {
    ...facts,
    name: nodeName,
    hostname: nodeName,
    memoryBytes: totalmem(),
    allocatable,
    resolvConf: readText("/etc/resolv.conf"),
    hosts: readText("/etc/hosts"),
  };
}

/** A node may have neither of these files. */
function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
