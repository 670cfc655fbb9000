import { mkdirSync, readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { type Agent, startAgent } from "../agent/agent.ts";
import type { AgentConfiguration } from "../agent/config/contract.ts";
import {
  type PodsCgroupOptions,
  preparePodsCgroup,
  readPodsUsage,
} from "../agent/node/pods-cgroup.ts";
import { startStreamServer } from "../agent/stream/stream-server.ts";
import { SERVICES } from "../api/generated/resources.ts";
import type { Client } from "../client/client.ts";
import type { InformerFactory } from "../client/informer.ts";
import { Cleanup } from "../lib/cleanup.ts";
import type { Logger } from "../lib/logger.ts";
import type { MetricFamily } from "../lib/prometheus.ts";
import { openCgroups } from "../sys/cgroup.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import type { NodeDirectories } from "./data-directory.ts";
import { DelegatedAccess, NODE_BELIEF } from "./delegated-access.ts";
import { foreignContainers, ownContainers } from "./node-containers.ts";
import { startNodeNetwork } from "./node-network.ts";
import { awaitPodCidr } from "./node-object.ts";
import { openPodTracing } from "./pod-tracing.ts";
import { GIT_VERSION } from "./version.ts";

/** A node of the cluster as this process runs it. */
export interface NodeProcess extends AsyncDisposable {
  readonly podCidr: string;
  /** Resolves when the API has the node Ready. */
  readonly ready: Promise<void>;
  /** Ends all pods by the configured stages, as the machine goes down. */
  shutDown(): Promise<void>;
  /** See `Agent.rehearse`; with somebody else's runtime, nothing is done. Never throws. */
  rehearse(): Promise<void>;
}

/** Everything that a node needs; TLS texts are PEM. */
export interface NodeProcessOptions {
  name: string;
  ip: string;
  client: Client;
  informers: InformerFactory;
  /** As `system:kube-proxy`, who reads the Services and nodes that the node needs. */
  networkInformers: InformerFactory;
  cluster: ClusterNetwork;
  /** Service addresses that this node answers on itself. */
  localAddresses: readonly string[];
  directories: NodeDirectories;
  imageDirectory: string;
  registriesFile: string;
  /** Whether any node of this machine has a container of the image. */
  isInUse: (imageId: string) => boolean;
  configuration: AgentConfiguration;
  /** Socket of the container runtime that runs the pods; our own when undefined. */
  runtimeEndpoint: string | undefined;
  tls: { certPem: string; keyPem: string; clientCaPem: string };
  /** Of the requests to an API server that is another process. */
  metrics?: () => MetricFamily[];
  logger: Logger;
}

/** Preferred port of the agent's HTTPS endpoint; another free one is taken when it is in use. */
const ENDPOINT_PORT = 10_250;

const sources = { clock: systemClock, random: systemRandom };

/** Starts the node: images, runtime and network, then the agent on top of them. */
export async function startNode(options: NodeProcessOptions): Promise<NodeProcess> {
  const { name, ip, client, informers, cluster, directories, configuration, logger } = options;
  await using cleanup = new Cleanup();
  mkdirSync(directories.state, { recursive: true, mode: 0o711 });
  mkdirSync(directories.run, { recursive: true, mode: 0o711 });
  const { runtimeEndpoint: endpoint } = options;
  const [podCidr, containers] = await Promise.all([
    awaitPodCidr(client, { ...configuration, name }),
    endpoint === undefined
      ? ownContainers(options)
      : foreignContainers(endpoint, { ...directories, logger }),
  ]);
  cleanup.use(containers);
  const together = podsTogether(options);
  holdPodsTogether(together, logger);
  const network = cleanup.use(
    startNodeNetwork({
      nodeName: name,
      podCidr,
      cluster,
      localAddresses: options.localAddresses,
      directories,
      informers: options.networkInformers,
      logger,
    }),
  );
  const tracing = openPodTracing(configuration.tracing, { ...sources, node: name, logger });
  if (tracing) cleanup.use(tracing);
  const { clientCaPem, certPem, keyPem } = options.tls;
  const reviewers = { authentication: client, authorization: client };
  const access = new DelegatedAccess({
    ...reviewers,
    openPaths: [],
    believed: NODE_BELIEF,
    ...sources,
  });
  const streams = cleanup.use(
    await startStreamServer({
      ...sources,
      host: ip,
      port: ENDPOINT_PORT,
      tls: { cert: certPem, key: keyPem, clientCa: clientCaPem },
      askAccess: (caller, needed) => access.admitToNode(name, { credentials: caller, ...needed }),
      idleMs: configuration.streamIdleMs,
      logger,
    }),
  );
  const agent: Agent = cleanup.use(
    await startAgent({
      ...sources,
      nodeName: name,
      client,
      informers,
      services: cleanup.use(options.networkInformers.informer(SERVICES)),
      runtime: containers.runtime,
      images: containers.images,
      network: network.pods,
      facts: {
        nodeIp: ip,
        podCidr,
        clusterDnsIp: cluster.dnsIp,
        clusterDomain: cluster.clusterDomain,
      },
      configuration,
      metrics: () => [
        ...network.services.metrics(),
        ...streams.metrics(),
        ...(options.metrics?.() ?? []),
      ],
      tracer: tracing?.tracer,
      stateDirectory: directories.state,
      podLogsDirectory: directories.podLogs,
      imageDirectory: containers.imageDirectory,
      manifestDirectory: directories.manifests,
      runDirectory: directories.run,
      readPods: () => readPodsUsage(together),
      endpointPort: streams.port,
      versions: { kubelet: GIT_VERSION, runtime: containers.version },
      logger,
    }),
  );
  streams.serve(agent.streams);
  const owned = cleanup.move();
  return {
    podCidr,
    ready: agent.ready,
    shutDown: () => agent.shutDown(),
    rehearse: () => (options.runtimeEndpoint ? Promise.resolve() : agent.rehearse()),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function podsTogether({ directories, configuration }: NodeProcessOptions): PodsCgroupOptions {
  const { reservation } = configuration;
  const root = directories.cgroupRoot;
  const pids = Number(readFileSync("/proc/sys/kernel/pid_max", "utf8"));
  const capacity = { cpu: availableParallelism() * 1000, memory: totalmem(), pids };
  return { cgroups: openCgroups(), root, reservation, capacity };
}

/** A limit below what pods use now cannot be set; their eviction makes room for the next start. */
function holdPodsTogether(together: PodsCgroupOptions, logger: Logger): void {
  try {
    preparePodsCgroup(together);
  } catch (error) {
    logger.warn("pods are not held to what is allocatable", { error });
  }
}
