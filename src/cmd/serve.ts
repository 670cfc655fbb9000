import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { findNodeAddress } from "../agent/network/node-address.ts";
import { ensurePki } from "../apiserver/pki/pki.ts";
import { kubeconfigFor } from "../apiserver/pki/kubeconfig.ts";
import { Cleanup } from "../lib/cleanup.ts";
import type { Logger } from "../lib/logger.ts";
import { openLmdbStore } from "../store/lmdb/lmdb-store.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import type { Store } from "../store/store.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { planClusterNetwork } from "./cluster-network.ts";
import { ensureClusterObjects } from "./cluster-objects.ts";
import { startControlPlane } from "./control-plane.ts";
import { type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { identify, writeInstance } from "./instance.ts";
import { createJsonLogger } from "./json-logger.ts";
import { parseUpOptions, type UpOptions } from "./options.ts";
import type { ServeMessage } from "./serve-message.ts";
import { untilSignal } from "./signals.ts";
import { NEPHOS_VERSION } from "./version.ts";

function tell(message: ServeMessage): void {
  if (process.connected) process.send?.(message);
}

/** `nephos serve`: the daemon that `up` starts. */
export async function serve(args: readonly string[]): Promise<number> {
  const options = parseUpOptions(args);
  const directory = openDataDirectory(options.dataDirectory, { create: true });
  const logger = createJsonLogger(options.logLevel);
  try {
    await using _running = await start(options, directory, logger);
    tell({ type: "ready" });
    if (process.connected) process.disconnect();
    const signal = await untilSignal();
    logger.info("stopping", { signal });
    return 0;
  } catch (error) {
    logger.error("Nephos cannot start", { error });
    tell({ type: "failed", text: (error as Error).message });
    return 1;
  }
}

async function openStore({ store }: UpOptions, directory: DataDirectory): Promise<Store> {
  if (store === "memory") return createMemoryStore();
  return await openLmdbStore({ directory: directory.store, clock: systemClock });
}

async function start(
  options: UpOptions,
  directory: DataDirectory,
  logger: Logger,
): Promise<AsyncDisposable> {
  await using stack = new Cleanup();
  const network = planClusterNetwork(options);
  const nodeName = hostname().toLowerCase();
  const nodeIp = findNodeAddress() ?? options.host;
  const store = stack.use(await openStore(options, directory));
  const pki = await ensurePki(directory.pki, {
    clock: systemClock,
    random: systemRandom,
    addresses: {
      server: [options.host, nodeIp],
      serviceIp: network.apiServerIp,
      clusterDomain: network.clusterDomain,
      nodes: [{ name: nodeName, addresses: [nodeIp] }],
    },
  });
  const server = `https://${options.host}:${options.port}`;
  const plane = stack.use(
    await startControlPlane({
      store,
      pki,
      network,
      listeners: [{ host: options.host, port: options.port }],
      logger,
    }),
  );
  await ensureClusterObjects(plane.client, {
    apiServerIp: network.apiServerIp,
    endpoint: { ip: network.apiServerIp, port: 443 },
    dnsIp: network.dnsIp,
  });
  const { certPem, keyPem } = pki.admin;
  const caPem = pki.ca.pem.certPem;
  writeFileSync(
    directory.kubeconfig,
    kubeconfigFor({ server, caPem, certPem, keyPem, clusterName: "nephos" }),
    { mode: 0o600 },
  );
  writeInstance(directory.instance, {
    version: NEPHOS_VERSION,
    server,
    startedAtMs: systemClock.now(),
    processes: [identify("nephos", process.pid)],
    nodes: [],
    localAddresses: [network.dnsIp, network.apiServerIp],
  });
  logger.info("control plane is up", { server });
  return stack.move();
}
