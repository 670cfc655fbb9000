import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { findNodeAddress } from "../agent/network/node-address.ts";
import { carryAddresses } from "../agent/network/node-link.ts";
import { ensurePki, type Pki } from "../apiserver/pki/pki.ts";
import { createClient } from "../client/resource-client.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { Cleanup } from "../lib/cleanup.ts";
import type { Logger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { V8_HEAP } from "../sys/garbage-relief.ts";
import { OUTER_MEMORY, startMemoryRelief } from "../sys/memory-relief.ts";
import { keepInMemory } from "../sys/mount.ts";
import { enterPrivateMounts } from "../sys/mount-namespace.ts";
import { systemRandom } from "../sys/random.ts";
import { readAgentConfig } from "./agent-config.ts";
import { createImageUse } from "./images-in-use.ts";
import { openIssuers } from "./authentication-config.ts";
import { openAudit } from "./audit.ts";
import { type ClusterNetwork, planClusterNetwork } from "./cluster-network.ts";
import { ensureClusterObjects, ensureIngressClass, PROXY_USER } from "./cluster-objects.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import type { DataDirectory } from "./data-directory.ts";
import { createHousehold, type Household } from "./household.ts";
import { openEncryption } from "./encryption.ts";
import {
  identify,
  type InstanceNode,
  type InstanceProcess,
  isAlive,
  readInstance,
  writeInstance,
} from "./instance.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";
import { NETWORK_USER } from "./network-identity.ts";
import { nodeNameOf } from "./node-name.ts";
import { startNode } from "./node-process.ts";
import { openStore } from "./open-store.ts";
import { settingsToRecord, type UpOptions } from "./options.ts";
import { rehearse } from "./rehearsal.ts";
import { readSchedulerConfig } from "./scheduler-config.ts";
import { HOST_SHUTDOWN } from "./signals.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";
import { openTracing } from "./tracing.ts";
import { NEPHOS_VERSION } from "./version.ts";

/** What a machine is started from. */
export interface MachineOptions {
  options: UpOptions;
  directory: DataDirectory;
  logger: Logger;
}

const sources = { clock: systemClock, random: systemRandom };

/** What runs on this machine until it is disposed. */
interface Part extends AsyncDisposable {
  /** Ends the pods of all nodes by the configured stages; the control plane learns of it. */
  shutDown(): Promise<void>;
  /** Makes the first pod as quick as later ones; best once nobody waits. Never throws. */
  rehearse(): Promise<void>;
}

/** All nodes of this machine, with their control plane. */
export type Machine = Part;

/** Starts the control plane, the first node in this process and the others beside it. */
export async function startMachine(of: MachineOptions): Promise<Machine> {
  const { options, directory, logger } = of;
  await using cleanup = new Cleanup();
  const network = planClusterNetwork(options);
  mkdirSync(path.join(directory.root, "nodes"), { recursive: true, mode: 0o711 });
  keepInMemory(directory.run);
  // A container runtime of somebody else's has to see what is mounted for its containers.
  if (options.runtimeEndpoint === undefined) {
    enterPrivateMounts({ sharedDirectories: [directory.run, path.join(directory.root, "nodes")] });
  }
  const localAddresses = [network.dnsIp, network.apiServerIp];
  carryAddresses(localAddresses, directory.node(0).linkPrefix);
  const nodes = planNodes(of, network);
  const supervisor = cleanup.use(adoptProcesses(of, nodes));
  const encryption = await openEncryption(options.encryption, { ...sources, logger });
  if (encryption) cleanup.use(encryption);
  const relief = cleanup.use(startMemoryRelief(systemClock, OUTER_MEMORY, V8_HEAP));
  const stored = await openStore(options, { directory, encryption, relief });
  const { store, metrics } = cleanup.use(stored);
  const pki = await preparePki(of, network, nodes);
  const policyFile = options.auditPolicy;
  const audit = cleanup.use(openAudit(directory, { policyFile, logger }));
  const { authenticationConfig: file, oidc: flags } = options;
  const issuers = cleanup.use(openIssuers({ file, flags, clock: systemClock, logger }));
  const tracing = openTracing(options.tracingConfig, { ...sources, logger });
  if (tracing) cleanup.use(tracing);
  const plane = cleanup.use(
    await startControlPlane({
      store,
      pki,
      network,
      podSecurity: options.podSecurity,
      legacyApis: options.legacyApis,
      corsAllowedOrigins: options.corsAllowedOrigins,
      tracer: tracing?.tracer,
      readyChecks: encryption?.checks ?? [],
      audit: audit.log,
      issuers,
      metrics,
      legacyTokens: options.legacyServiceAccountTokens,
      loadBalancer: options.loadBalancer,
      ingress: options.ingress,
      nodeGraceMs: options.nodeGraceMs,
      schedulerConfiguration: readSchedulerConfig(options.schedulerConfig),
      listeners: [
        { host: options.host, port: options.port, flag: "--listen" },
        { host: network.apiServerIp, port: 443, flag: "--service-cidr" },
      ],
      logger,
    }),
  );
  if (options.ingress) await ensureIngressClass(plane.client);
  await ensureClusterObjects(plane.client, {
    apiServerIp: network.apiServerIp,
    endpoint: { ip: network.apiServerIp, port: 443 },
    dnsIp: network.dnsIp,
    clusterInfo: {
      server: `https://${options.host}:${options.port}`,
      caPem: pki.ca.pem.certPem,
    },
    servesIngress: options.ingress !== undefined,
  });
  writeKubeconfigs(of, { pki, network });
  const { agentConfig, ingress, runtimeEndpoint } = options;
  const also = { agentConfig, ingress, runtimeEndpoint };
  const household = createHousehold({ directory, network, pki, supervisor, ...also });
  const others = startOthers(household, of, nodes);
  const first = cleanup.use(
    await startFirstNode(of, { plane, pki, network, nodes, localAddresses }),
  );
  await others;
  const owned = cleanup.move();
  return {
    async rehearse() {
      await rehearse(plane.client.transport, logger);
      await first.rehearse();
      relief.started();
    },
    async shutDown() {
      await Promise.all([first.shutDown(), supervisor.end("agent", HOST_SHUTDOWN)]);
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** The first node keeps its name when the machine gets another: its pods are bound to it. */
function planNodes(
  { options, directory }: MachineOptions,
  network: ClusterNetwork,
): InstanceNode[] {
  const name = readInstance(directory.instance)?.nodes[0]?.name ?? nodeNameOf(hostname());
  const first = { name, index: 0, ip: findNodeAddress() ?? network.apiServerIp };
  const others = Array.from({ length: options.nodes - 1 }, (_, at) => {
    return { name: `${name}-${at + 2}`, index: at + 1, ip: network.nodeIp(at + 1) };
  });
  return [first, ...others];
}

function preparePki(
  { options, directory }: MachineOptions,
  network: ClusterNetwork,
  nodes: readonly InstanceNode[],
): Promise<Pki> {
  return ensurePki(directory.pki, {
    ...sources,
    addresses: {
      server: [options.host, network.apiServerIp],
      serviceIp: network.apiServerIp,
      clusterDomain: network.clusterDomain,
      nodes: nodes.map(({ name, ip }) => ({ name, addresses: [ip] })),
    },
  });
}

function writeKubeconfigs(
  { options, directory }: MachineOptions,
  { pki, network }: { pki: Pki; network: ClusterNetwork },
): void {
  const caPem = pki.ca.pem.certPem;
  const server = `https://${options.host}:${options.port}`;
  writeKubeconfig(directory.kubeconfig, { server, caPem, keys: pki.admin });
  const keys = pki.issueClientCertificate({ commonName: PROXY_USER, organizations: [] });
  writeKubeconfig(directory.proxyKubeconfig, {
    server: `https://${network.apiServerIp}`,
    caPem,
    keys,
  });
}

async function startFirstNode(
  { options, directory, logger }: MachineOptions,
  of: {
    plane: ControlPlane;
    pki: Pki;
    network: ClusterNetwork;
    nodes: readonly InstanceNode[];
    localAddresses: readonly string[];
  },
): Promise<Part> {
  const { plane, pki, network, nodes, localAddresses } = of;
  const [first] = nodes;
  const keys = first && pki.nodes.get(first.name);
  if (!first || !keys) throw new Error("the first node has no certificates");
  const clientOf = (name: string, ...groups: string[]) =>
    createClient(plane.transport({ name, groups: [...groups, "system:authenticated"] }));
  const client = clientOf(`system:node:${first.name}`, "system:nodes");
  await using cleanup = new Cleanup();
  const informers = cleanup.use(createInformerFactory({ ...sources, client, logger }));
  const networkInformers = cleanup.use(
    createInformerFactory({ ...sources, client: clientOf(NETWORK_USER), logger }),
  );
  const node = cleanup.use(
    await startNode({
      name: first.name,
      ip: first.ip,
      client,
      informers,
      networkInformers,
      cluster: network,
      localAddresses,
      directories: directory.node(0),
      imageDirectory: directory.images,
      registriesFile: directory.registries,
      isInUse: createImageUse(directory),
      configuration: readAgentConfig(options.agentConfig, logger),
      runtimeEndpoint: options.runtimeEndpoint,
      tls: { ...keys.serving, clientCaPem: pki.ca.pem.certPem },
      logger: logger.with({ component: "agent" }),
    }),
  );
  await node.ready;
  const owned = cleanup.move();
  return {
    shutDown: () => node.shutDown(),
    rehearse: () => node.rehearse(),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/**
 * Takes over what an earlier daemon left running, and keeps the record true from here on: a start
 * that fails half way leaves nothing behind that `down` does not know.
 */
function adoptProcesses(
  { options, directory, logger }: MachineOptions,
  nodes: readonly InstanceNode[],
): Supervisor {
  const found = (readInstance(directory.instance)?.processes ?? []).filter(
    (process) => process.role !== "nephos" && isAlive(process),
  );
  const self = identify("nephos", process.pid);
  const startedAtMs = systemClock.now();
  const record = (others: readonly InstanceProcess[]) => {
    writeInstance(directory.instance, {
      version: NEPHOS_VERSION,
      server: `https://${options.host}:${options.port}`,
      startedAtMs,
      processes: [self, ...others],
      nodes,
      settings: settingsToRecord(options),
    });
  };
  record(found);
  const supervisor = createSupervisor({
    found,
    onChange: () => {
      const running = supervisor.processes();
      const unclaimed = found.filter(({ pid }) => !running.some((process) => process.pid === pid));
      record([...running, ...unclaimed.filter(isAlive)]);
    },
    clock: systemClock,
    logger,
  });
  return supervisor;
}

/** A proxy that fails is tried again while the nodes start; an agent that fails stops the start. */
async function startOthers(
  household: Household,
  { logger }: MachineOptions,
  nodes: readonly InstanceNode[],
): Promise<void> {
  const [first, ...others] = nodes;
  const proxy = (node: InstanceNode | undefined) => {
    if (!node) return;
    household
      .ensureProxy(node)
      .catch((error: unknown) => logger.error("a proxy does not start", { error }));
  };
  proxy(first);
  await Promise.all(
    others.map(async (node) => {
      await household.ensureAgent(node);
      proxy(node);
    }),
  );
}
