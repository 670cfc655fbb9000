import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { createImageStore } from "../agent/image/image-store.ts";
import { createImageThread } from "../agent/image/image-thread.ts";
import { readProxyEnvironment } from "../agent/image/registry/proxy-rules.ts";
import { createPodNetwork } from "../agent/network/pod-network.ts";
import { createCrunRuntime } from "../agent/runtime/crun-runtime.ts";
import { startCriServer } from "../cri/cri-server.ts";
import { hostRules } from "../cri/host-rules.ts";
import { parseCidr } from "../lib/ipv4.ts";
import type { Logger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { keepInMemory } from "../sys/mount.ts";
import { enterPrivateMounts } from "../sys/mount-namespace.ts";
import { type Nftables, openNftables } from "../sys/nft/nftables.ts";
import { systemRandom } from "../sys/random.ts";
import { CommandError } from "./command-error.ts";
import { type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { identify, isAlive, readInstance, writeInstance } from "./instance.ts";
import { createJsonLogger } from "./json-logger.ts";
import { installLastResort } from "./last-resort.ts";
import { commonFlags, type FlagTable, parseFlags, usage } from "./options.ts";
import { requireRoot } from "./require-root.ts";
import { runtimeOptionsOf } from "./runtime-options.ts";
import { noteSelfMount } from "./self-mount.ts";
import { untilSignal } from "./signals.ts";
import { NEPHOS_VERSION } from "./version.ts";

const FLAGS: FlagTable = {
  ...commonFlags,
  socket: { type: "string", default: "/run/nephos/cri.sock" },
  "pod-cidr": { type: "string" },
  "cluster-cidr": { type: "string", default: "10.244.0.0/16" },
  "kubelet-dir": { type: "string", default: "/var/lib/kubelet" },
};

const sources = { clock: systemClock, random: systemRandom };

/**
 * `nephos cri`: containers, images and the network of pods for a kubelet, which reaches it by
 * `--container-runtime-endpoint unix://SOCKET`. In the foreground; containers outlive it.
 */
export async function cri(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, FLAGS);
  requireRoot("run containers");
  const text = (flag: string) => `${values[flag] ?? ""}`;
  const clusterCidr = rangeOf("cluster-cidr", text("cluster-cidr"));
  const podCidr = text("pod-cidr") && rangeOf("pod-cidr", text("pod-cidr"));
  const socketPath = path.resolve(text("socket"));
  const directory = openDataDirectory(text("data-dir"), { create: true });
  claim(directory, socketPath);
  const logger = createJsonLogger("info", { component: "cri" });
  installLastResort(logger);
  const directories = directory.cri;
  const kubelet = path.resolve(text("kubelet-dir"));
  keepInMemory(directory.run);
  for (const each of [directories.state, directories.run]) {
    mkdirSync(each, { recursive: true, mode: 0o711 });
  }
  noteSelfMount(kubelet, directories.selfMounts);
  // The kubelet mounts volumes there, which this process must come to see.
  enterPrivateMounts({ sharedDirectories: [directory.run, directories.state, kubelet] });
  const runtimeOptions = { ...sources, ...runtimeOptionsOf(directories), logger };
  await using runtime = await createCrunRuntime(runtimeOptions);
  const imageDirectory = directory.images;
  const isInUse = (imageId: string) =>
    runtime.containers().some((container) => container.imageId === imageId);
  const place = {
    directory: imageDirectory,
    registriesFile: directory.registries,
    proxies: readProxyEnvironment(process.env),
  };
  await using engine = createImageThread(place, { clock: systemClock, logger });
  const images = await createImageStore({
    ...sources,
    ...place,
    engine,
    isInUse,
    logger,
  });
  using nft = openNftables();
  await using _server = await startCriServer({
    ...sources,
    socketPath,
    runtime,
    images,
    imageDirectory,
    openNetwork: (range) => openNetwork({ directory, podCidr: range, clusterCidr, nft, logger }),
    ...(podCidr && { podCidr }),
    stateDirectory: directories.state,
    hostname: hostname(),
    version: NEPHOS_VERSION,
    logger,
  });
  process.stdout.write(`The container runtime answers on ${socketPath}\n`);
  process.stdout.write(`kubelet --container-runtime-endpoint unix://${socketPath}\n`);
  await untilSignal();
  return 0;
}

/** @throws CommandError with exit code 2 */
function rangeOf(flag: string, text: string): string {
  try {
    parseCidr(text);
    return text;
  } catch {
    throw usage(`--${flag} must be a range such as 10.244.0.0/24, not "${text}"`);
  }
}

/** One process at a time may use a data directory. @throws CommandError */
function claim(directory: DataDirectory, socketPath: string): void {
  const known = readInstance(directory.instance);
  const running = known?.processes.find(isAlive);
  if (running) {
    const where = `process ${running.pid} (${running.role}) still uses ${directory.root}`;
    throw new CommandError(`Cannot start: ${where}; see "nephos down"`);
  }
  writeInstance(directory.instance, {
    version: NEPHOS_VERSION,
    server: `unix://${socketPath}`,
    startedAtMs: systemClock.now(),
    processes: [identify("nephos", process.pid)],
    nodes: known?.nodes ?? [],
    ...(known?.settings && { settings: known.settings }),
  });
}

function openNetwork({
  directory,
  podCidr,
  clusterCidr,
  nft,
  logger,
}: {
  directory: DataDirectory;
  podCidr: string;
  clusterCidr: string;
  nft: Nftables;
  logger: Logger;
}) {
  const { run, linkPrefix, table } = directory.cri;
  const network = createPodNetwork({
    runDirectory: run,
    podCidr,
    linkPrefix,
    localAddresses: [],
    onHostPorts: (ports) => {
      const gateway = network.gateway;
      nft.apply(hostRules({ table, podCidr, clusterCidr, linkPrefix, gateway }, ports));
    },
    logger,
  });
  return network;
}
