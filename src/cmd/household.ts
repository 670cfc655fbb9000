import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { createNodeHost, nodeNamespaceFile, removeNodeHost } from "../agent/network/node-host.ts";
import type { Pki } from "../apiserver/pki/pki.ts";
import type { Logger } from "../lib/logger.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import type { DataDirectory } from "./data-directory.ts";
import { identify, type InstanceProcess, isAlive, readInstance } from "./instance.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";

/**
 * The other processes of this machine: a proxy per node and an agent per further node. They outlive
 * the daemon; one that is found alive is kept.
 */
export interface Household {
  ensureProxy(node: { name: string; index: number }): void;
  /** Resolves when the node is Ready. @throws Error when its agent ends before that */
  ensureAgent(node: { name: string; index: number; ip: string }): Promise<void>;
  processes(): readonly InstanceProcess[];
}

/** What the processes are started with. */
export interface HouseholdOptions {
  directory: DataDirectory;
  network: ClusterNetwork;
  pki: Pki;
  logger: Logger;
}

const ENTRY = path.join(import.meta.dirname, "nephos.js");
/** Small processes: little garbage, collected early. */
const NODE_FLAGS = ["--max-semi-space-size=1", "--no-warnings"];

/** Takes over what an earlier daemon left running. */
export function openHousehold(options: HouseholdOptions): Household {
  const { directory, network, logger } = options;
  const left = (readInstance(directory.instance)?.processes ?? []).filter(
    (process) => process.role !== "nephos" && isAlive(process),
  );
  const processes: InstanceProcess[] = [];
  const keep = (role: InstanceProcess["role"], node: string): boolean => {
    const found = left.find((process) => process.role === role && process.node === node);
    if (found) processes.push(found);
    return found !== undefined;
  };
  const start = (
    role: "proxy" | "agent",
    node: { name: string; index: number },
    args: readonly string[],
  ): ChildProcess => {
    const log = openSync(directory.log, "a", 0o600);
    const namespace =
      node.index === 0 ? [] : ["nsenter", `--net=${namespaceOf(options, node.index)}`];
    const [program = "", ...rest] = [...namespace, process.execPath, ...NODE_FLAGS, ENTRY, ...args];
    const child = spawn(program, rest, {
      stdio: ["ignore", log, log, "ipc"],
      detached: true,
      cwd: "/",
    });
    closeSync(log);
    if (child.pid !== undefined) processes.push(identify(role, child.pid, node.name));
    return child;
  };

  const ensureProxy = (node: { name: string; index: number }) => {
    if (keep("proxy", node.name)) return;
    const child = start("proxy", node, [
      "proxy",
      `--kubeconfig=${directory.proxyKubeconfig}`,
      `--address=${network.dnsIp}`,
      `--domain=${network.clusterDomain}`,
    ]);
    child.once("message", () => child.disconnect());
    child.once("exit", (code) => logger.error("a proxy ended", { node: node.name, code }));
    child.unref();
  };

  return {
    ensureProxy,
    async ensureAgent(node) {
      if (keep("agent", node.name)) {
        keep("proxy", node.name);
        return;
      }
      prepareNodeHost(options, node);
      const child = start("agent", node, agentArguments(options, node));
      const exited = once(child, "exit").then(([code]) => {
        throw new Error(`the agent of node "${node.name}" ended with ${code}; see the log`);
      });
      await Promise.race([once(child, "message"), exited]);
      exited.catch(() => logger.error("an agent ended", { node: node.name }));
      child.disconnect();
      child.unref();
      ensureProxy(node);
    },
    processes: () => processes,
  };
}

function hostName(index: number): string {
  return `node-${index}`;
}

function namespaceOf({ directory }: HouseholdOptions, index: number): string {
  return nodeNamespaceFile({ runDirectory: directory.run, name: hostName(index) });
}

/** A network namespace left by an agent that died is replaced: its pods are set up anew. */
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
  removeNodeHost(host);
  createNodeHost({ ...host, ip: node.ip, hostAddress: network.apiServerIp });
}

function agentArguments(
  { directory, network }: HouseholdOptions,
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
  ];
}
