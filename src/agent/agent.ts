import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import path from "node:path";
import { NODES, PODS } from "../api/generated/resources.ts";
import type { Pod, Service } from "../api/generated/types/core-v1.ts";
import { createEventRecorder } from "../client/api-event-recorder.ts";
import type { Client } from "../client/client.ts";
import type { Informer, InformerFactory } from "../client/informer.ts";
import { Cleanup } from "../lib/cleanup.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { MetricFamily } from "../lib/prometheus.ts";
import type { Random } from "../lib/random.ts";
import { createSpread } from "../sys/spread.ts";
import type { AgentConfiguration } from "./config/contract.ts";
import { ALL_CPUS, type CpuManager } from "./cpu/contract.ts";
import { createStaticCpuManager } from "./cpu/cpu-manager.ts";
import { type CpuPlace, readCpuTopology } from "./cpu/cpu-topology.ts";
import { NO_PRESSURE } from "./eviction/contract.ts";
import type { EvictionManager } from "./eviction/eviction-manager.ts";
import { createFarFiles } from "./far-files.ts";
import type { DownwardFacts } from "./field-reference.ts";
import type { ImageStore } from "./image/contract.ts";
import { startImageCollection } from "./image/image-collector.ts";
import { createAgentMetrics } from "./metrics/agent-metrics.ts";
import type { AgentMetrics, PodsUsage } from "./metrics/contract.ts";
import { fileSystemUsage, readNodeUsage } from "./metrics/node-usage.ts";
import type { NodeNetworkFacts, PodNetwork } from "./network/contract.ts";
import { readCapacity, readSystemInfo } from "./node/node-facts.ts";
import { type NodeStatusKeeper, startNodeStatus } from "./node/node-status.ts";
import { startNodePressure } from "./node-pressure.ts";
import { confineFiles } from "./pod/confined-files.ts";
import { startLogRotation } from "./pod/log-rotation.ts";
import { makeLogPlaces, OWN_LOGS } from "./pod/pod-logs.ts";
import type { PodNodeFacts } from "./pod/pod-context.ts";
import { createPodManager, type PodManager } from "./pod/pod-manager.ts";
import { podResources } from "./pod/pod-resources.ts";
import { readKeyring } from "./pod/pull-secrets.ts";
import { createPodStorage } from "./pod-storage.ts";
import type { PodTracer } from "./pod-tracer.ts";
import { createProber, type Surroundings } from "./probe/prober.ts";
import type { ContainerRuntime } from "./runtime/contract.ts";
import { rehearsalImage } from "./rehearsal-image.ts";
import { measuredRuntime } from "./runtime/measured-runtime.ts";
import { shutDownPods } from "./shutdown/node-shutdown.ts";
import { followManifests } from "./static-pod/manifest-directory.ts";
import type { StreamBackend } from "./stream/contract.ts";
import { readLog } from "./stream/log-reader.ts";
import { createStreamBackend } from "./stream-backend.ts";
import { openTrash } from "./trash.ts";
import { createVolumeManager } from "./volume/volume-manager.ts";

/** What a node agent is made of. The caller owns the parts that it passes in. */
export interface AgentOptions {
  nodeName: string;
  client: Client;
  informers: InformerFactory;
  /** As the node's network follows them too; containers find them in their environment. */
  services: Informer<Service>;
  runtime: ContainerRuntime;
  images: ImageStore;
  network: PodNetwork;
  facts: NodeNetworkFacts;
  /**
   * `pods/`, `logs/` and `volumes/` lie below it. With mounts of its own, the process must have given
   * it to `enterPrivateMounts`, or the volumes of running pods die with the agent.
   */
  stateDirectory: string;
  /**
   * Where each pod's logs have a directory, and other nodes' may, too; undefined for one in
   * `stateDirectory`. The configuration goes before it.
   */
  podLogsDirectory?: string | undefined;
  /** On the file system that images lie on. */
  imageDirectory: string;
  /** Every file in it is a static pod; created. */
  manifestDirectory: string;
  /** What all pods use together. */
  readPods?: () => PodsUsage | undefined;
  /** Files that need not survive a reboot; in memory. */
  runDirectory: string;
  /** Port of the HTTPS endpoint that serves `streams`. */
  endpointPort: number;
  versions: { kubelet: string; runtime: string };
  configuration: AgentConfiguration;
  /** What the node tells beside its pods' figures: of its network and of its requests. */
  metrics?: () => MetricFamily[];
  /** Records what is done for pods. */
  tracer?: PodTracer | undefined;
  clock: Clock;
  random: Random;
  logger: Logger;
}

const APP_ARMOR = "/sys/kernel/security/apparmor";
/** To start containers comes before to tell of it. */
const EVENT_DELAY_MS = 400;

/** A running agent. Disposing it leaves the containers running: the next agent adopts them. */
export interface Agent extends AsyncDisposable {
  /** Resolves when the API has the node's first complete status: from then on it is Ready. */
  readonly ready: Promise<void>;
  /** What the node's HTTPS endpoint serves. */
  readonly streams: StreamBackend;
  /**
   * Ends all pods, by the stages of the configuration, as the machine shuts down; without a stage,
   * they go on. The agent has to be disposed after it.
   */
  shutDown(): Promise<void>;
  /**
   * Runs a pod that nobody sees, unless there are pods: the first one then finds all compiled and
   * read from the disk. Whether containers can run here at all is told to the log. Never throws.
   */
  rehearse(): Promise<void>;
}

/** Adopts what runs, follows the API, reports the node. Resolves when pods are being worked on. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { nodeName, client, informers, images, network, clock, random, logger } = options;
  const { stateDirectory, facts, versions, configuration } = options;
  const ownLogs = path.join(stateDirectory, OWN_LOGS);
  const commonLogs = configuration.podLogsDir ?? options.podLogsDirectory;
  const directories = {
    pods: path.join(stateDirectory, "pods"),
    files: path.join(options.runDirectory, "pods"),
    logs: commonLogs ?? ownLogs,
    logIndex: ownLogs,
    seccomp: path.join(stateDirectory, "seccomp"),
  };
  if (commonLogs !== undefined) makeLogPlaces(commonLogs);
  // Containers reach their volumes through these, whatever user they run as.
  for (const directory of Object.values(directories)) {
    mkdirSync(directory, { recursive: true, mode: 0o711 });
  }
  const { capacity, allocatable } = readCapacity(stateDirectory, {
    ...configuration,
    hard: configuration.eviction.hard,
  });
  const factsOf = (pod: Pod): DownwardFacts => {
    const podIp = pod.spec?.hostNetwork ? facts.nodeIp : podIpOf(network, pod);
    return { hostIp: facts.nodeIp, allocatable, ...(podIp ? { podIp } : {}) };
  };
  await using cleanup = new Cleanup();
  const metrics = createAgentMetrics();
  const runtime = measuredRuntime(options.runtime, {
    monotonicMs: () => clock.monotonicMs(),
    observe: metrics.observeOperation,
  });
  cleanup.use(runtime.onKernel((podUid) => network.restore(podUid)));
  const trash = cleanup.use(openTrash(path.join(stateDirectory, "trash"), { clock, logger }));
  const source = { component: "kubelet", host: nodeName, delayMs: EVENT_DELAY_MS };
  const events = cleanup.use(createEventRecorder({ client, clock, random, logger, ...source }));
  const aboutNode = { apiVersion: "v1", kind: "Node", metadata: { name: nodeName, uid: nodeName } };
  const far = cleanup.use(createFarFiles({ clock, logger }));
  const localDirectory = path.join(stateDirectory, "volumes");
  const volumes = cleanup.use(
    createVolumeManager({
      client,
      informers,
      clock,
      factsOf,
      memoryLimitOf: (pod) => podResources(pod, configuration).memoryLimitBytes,
      localDirectory,
      far,
      openImage: async (pod, { reference, policy, signal }) => {
        const pulls = images.wouldPull(reference, policy);
        const keyring = pulls ? await readKeyring(pod, { client, events, logger }) : [];
        return await images.ensure(reference, policy, { keyring, signal });
      },
      logger,
    }),
  );
  const directory = configuration.staticPodPath ?? options.manifestDirectory;
  const staticPods = cleanup.use(followManifests({ directory, nodeName, clock, logger }));
  const nodes = cleanup.use(
    informers.informer(NODES, { fieldSelector: `metadata.name=${nodeName}` }),
  );
  const keeper: { eviction?: EvictionManager; status?: NodeStatusKeeper; closing?: true } = {};
  const pressure = () => keeper.eviction?.pressure() ?? NO_PRESSURE;
  const cpus = createCpuManager(options);
  const manager = cleanup.use(
    createPodManager({
      client,
      informers,
      pods: cleanup.use(informers.informer(PODS, { fieldSelector: `spec.nodeName=${nodeName}` })),
      services: options.services,
      runtime,
      images,
      network,
      volumes,
      cpus,
      prober: createProber({ runtime, clock, onAttempt: probeCounter(metrics) }),
      metrics,
      tracer: options.tracer,
      staticPods,
      far,
      spread: createSpread(),
      confine: confineFiles,
      discard: trash.discard,
      events,
      clock,
      logger,
      node: nodeFacts(options, allocatable),
      admission: {
        node: () => nodes.get(undefined, nodeName),
        pressure,
        allowedSysctls: configuration.allowedSysctls,
        hasAppArmor: existsSync(APP_ARMOR),
      },
      directories,
    }),
  );
  // Before the pods are let go of: none of them waits for what hangs.
  cleanup.defer(() => far[Symbol.dispose]());
  await nodes.synced;
  await manager.start();
  const { logLimits: limits, eviction: rules, imageCollection } = configuration;
  cleanup.use(startLogRotation({ runtime, clock, logger, limits }));
  const { imageDirectory } = options;
  const readNode = () => {
    const nowMs = clock.now();
    const pods = options.readPods ? { pods: options.readPods } : {};
    const directory = stateDirectory;
    return readNodeUsage({ name: nodeName, nowMs, directory, imageDirectory, ...pods });
  };
  const collector = cleanup.use(
    startImageCollection({
      images,
      clock,
      logger,
      rules: imageCollection,
      wanted: () => imagesOf(manager, runtime),
      fileSystem: () => fileSystemUsage(imageDirectory),
      onRemoved: (reason) => metrics.count("image_garbage_collected_total", reason),
      say: (reason, message) =>
        events.record({ about: aboutNode, type: "Warning", reason, message }),
    }),
  );
  keeper.eviction = cleanup.use(
    startNodePressure({
      manager,
      runtime,
      volumes,
      readNode,
      rules,
      collector,
      imagesApart: statSync(imageDirectory).dev !== statSync(stateDirectory).dev,
      clock,
      logger,
      announce: (resource) =>
        events.record({
          about: aboutNode,
          type: "Warning",
          reason: "EvictionThresholdMet",
          message: `Attempting to reclaim ${resource}`,
        }),
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
      reporting: configuration.reporting,
      taints: configuration.taints,
      providerId: configuration.providerId,
      handlers: () => runtime.handlers(),
      pressure,
      problem: () => (keeper.closing ? "node is shutting down" : undefined),
      onNews: (reason) => {
        const message = `Node ${nodeName} status is now: ${reason}`;
        events.record({ about: aboutNode, type: "Normal", reason, message });
      },
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
    configuration: {
      ...configuration.inForce,
      podLogsDir: directories.logs,
      clusterDomain: facts.clusterDomain,
      clusterDNS: [facts.clusterDnsIp],
    },
    otherMetrics: () => [
      ...volumes.metrics(),
      ...runtime.metrics(),
      ...cpus.metrics(),
      ...(options.metrics?.() ?? []),
    ],
    readNode,
    readMachine: () => {
      const cpus = readCpuTopology();
      const count = (of: (cpu: CpuPlace) => string | number) => new Set(cpus.map(of)).size;
      const system = readSystemInfo(versions);
      return { cores: count(({ core }) => core), sockets: count(({ socket }) => socket), system };
    },
    readStorage: createPodStorage({ manager, runtime, volumes, far, clock }),
  });
  const owned = cleanup.move();
  return {
    ready: status.reported,
    streams,
    async shutDown() {
      const stages = configuration.shutdown;
      if (stages.length === 0) return;
      keeper.closing = true;
      status.refresh();
      manager.close();
      const end = (pod: Pod, graceMs: number) => manager.shutDown(pod, graceMs);
      await shutDownPods({ stages, pods: () => activePods(manager), end, clock, logger });
    },
    async rehearse() {
      try {
        const image = rehearsalImage(path.join(stateDirectory, "rehearsal"));
        const ran = await manager.rehearse(image);
        if (ran === false) logger.error("no container can be run: one that does nothing did not");
      } catch (error) {
        logger.debug("the rehearsal of a pod ended early", { error });
      }
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function probeCounter(metrics: AgentMetrics): NonNullable<Surroundings["onAttempt"]> {
  return ({ pod, container }, attempt) => {
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    const of = { container: container.name, namespace, pod: name, podUid: uid };
    metrics.observeProbe({ ...of, ...attempt });
  };
}

/** Images that containers of this node were made from, or will be. */
function* imagesOf(manager: PodManager, runtime: ContainerRuntime): Iterable<string> {
  for (const { imageId } of runtime.containers()) yield imageId;
  for (const { spec, status } of manager.pods()) {
    if (status?.phase === "Succeeded" || status?.phase === "Failed") continue;
    const ephemeral = spec?.ephemeralContainers ?? [];
    const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...ephemeral];
    for (const { image } of all) if (image) yield image;
    for (const { image } of spec?.volumes ?? []) if (image?.reference) yield image.reference;
  }
}

/** @throws RangeError when the configuration reserves CPUs that are not there */
function createCpuManager({ configuration, stateDirectory }: AgentOptions): CpuManager {
  const { cpus, reservation } = configuration;
  if (cpus.policy === "none") return ALL_CPUS;
  const { kube, system } = reservation;
  const count = Math.ceil(((kube.get("cpu") ?? 0) + (system.get("cpu") ?? 0)) / 1000);
  return createStaticCpuManager({
    ...cpus,
    topology: readCpuTopology(),
    reserved: { list: reservation.cpus, count },
    stateFile: path.join(stateDirectory, "cpu_manager_state"),
  });
}

function activePods(manager: PodManager): Pod[] {
  return manager
    .pods()
    .filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed");
}

function podIpOf(network: PodNetwork, pod: Pod): string | undefined {
  return network.attachment(pod.metadata?.uid ?? "")?.ip;
}

function nodeFacts(
  { nodeName, facts, configuration }: AgentOptions,
  allocatable: Readonly<Record<string, string>>,
): PodNodeFacts {
  return {
    ...facts,
    name: nodeName,
    hostname: nodeName,
    memoryBytes: totalmem(),
    allocatable,
    rules: configuration,
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
