import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { ensureNodeHost, nodeNamespaceFile } from "../agent/network/node-host.ts";
import type { Pki } from "../apiserver/pki/pki.ts";
import type { IngressPorts } from "../controllers/service-load-balancer/contract.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import { openConfinement } from "./confined.ts";
import type { DataDirectory } from "./data-directory.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";
import { NETWORK_KUBECONFIG, NETWORK_USER } from "./network-identity.ts";
import { ingressPortsText } from "./options.ts";
import type { Supervisor } from "./supervisor.ts";

/**
 * The other processes of this machine: a proxy per node and an agent per further node. They outlive
 * the daemon; one that is found alive is kept, one that ends is started again.
 */
export interface Household {
  /** Resolves when the node's DNS answers. @throws Error when the proxy ends before that */
  ensureProxy(node: { name: string; index: number; ip: string }): Promise<void>;
  /** Resolves when the node is Ready. @throws Error when its agent ends before that */
  ensureAgent(node: { name: string; index: number; ip: string }): Promise<void>;
}

/** What the processes are started with. */
export interface HouseholdOptions {
  directory: DataDirectory;
  network: ClusterNetwork;
  pki: Pki;
  supervisor: Supervisor;
  /** File with a KubeletConfiguration, for every agent. */
  agentConfig: string | undefined;
  /** Socket of the container runtime of every agent. */
  runtimeEndpoint: string | undefined;
  ingress: IngressPorts | undefined;
}

const ENTRY = path.join(import.meta.dirname, "nephos.js");
/** Small processes: little garbage, collected early. */
const NODE_FLAGS = ["--max-semi-space-size=1", "--no-warnings"];

/** Knows how each process is started; the supervisor decides when. */
export function createHousehold(options: HouseholdOptions): Household {
  const { directory, network, supervisor } = options;
  // For as long as this process lives.
  const confinement = openConfinement();
  const start = (
    index: number,
    args: readonly string[],
    confined: readonly string[] = [],
  ): ChildProcess => {
    const log = openSync(directory.log, "a", 0o600);
    const namespace = index === 0 ? [] : ["nsenter", `--net=${namespaceOf(options, index)}`];
    const node = [process.execPath, ...NODE_FLAGS, ENTRY];
    const [program = "", ...rest] = [...namespace, ...confined, ...node, ...args];
    const stdio = ["ignore", log, log, "ipc"] as const;
    const child = spawn(program, rest, { stdio: [...stdio], detached: true, cwd: "/" });
    closeSync(log);
    return child;
  };

  return {
    ensureProxy: ({ name, index, ip }) =>
      supervisor.ensure({
        role: "proxy",
        node: name,
        start: () =>
          start(
            index,
            [
              "proxy",
              `--kubeconfig=${directory.proxyKubeconfig}`,
              `--address=${network.dnsIp}`,
              `--domain=${network.clusterDomain}`,
              `--node=${name}`,
              `--node-ip=${ip === network.apiServerIp ? "" : ip}`,
              `--ingress=${ingressPortsText(options.ingress)}`,
            ],
            confinement ? [confinement.path] : [],
          ),
      }),
    ensureAgent: (node) =>
      supervisor.ensure({
        role: "agent",
        node: node.name,
        start() {
          prepareNodeHost(options, node);
          return start(node.index, agentArguments(options, node));
        },
      }),
  };
}

function hostName(index: number): string {
  return `node-${index}`;
}

function namespaceOf({ directory }: HouseholdOptions, index: number): string {
  return nodeNamespaceFile({ runDirectory: directory.run, name: hostName(index) });
}

/** The network of a node outlives its agent, and so do its pods. */
function prepareNodeHost(
  { directory, network, pki }: HouseholdOptions,
  node: { name: string; index: number; ip: string },
): void {
  const { state, linkPrefix } = directory.node(node.index);
  const host = { name: hostName(node.index), runDirectory: directory.run, linkPrefix };
  mkdirSync(state, { recursive: true, mode: 0o711 });
  const keys = pki.nodes.get(node.name);
  if (!keys) throw new Error(`node "${node.name}" has no certificates`);
  const caPem = pki.ca.pem.certPem;
  const server = `https://${network.apiServerIp}`;
  writeKubeconfig(path.join(state, "kubeconfig"), { server, caPem, keys: keys.client });
  const networkKeys = pki.issueClientCertificate({ commonName: NETWORK_USER, organizations: [] });
  writeKubeconfig(path.join(state, NETWORK_KUBECONFIG), { server, caPem, keys: networkKeys });
  ensureNodeHost({ ...host, ip: node.ip, hostAddress: network.apiServerIp });
}

function agentArguments(
  { directory, network, agentConfig, runtimeEndpoint }: HouseholdOptions,
  node: { name: string; index: number; ip: string },
): string[] {
  return [
    "agent",
    `--data-dir=${directory.root}`,
    `--name=${node.name}`,
    `--index=${node.index}`,
    `--ip=${node.ip}`,
    `--cluster-cidr=${network.clusterCidr}`,
    `--service-cidr=${network.serviceCidr}`,
    `--cluster-domain=${network.clusterDomain}`,
    ...(agentConfig === undefined ? [] : [`--agent-config=${agentConfig}`]),
    ...(runtimeEndpoint === undefined ? [] : [`--container-runtime-endpoint=${runtimeEndpoint}`]),
  ];
}
