import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createFarFiles } from "../agent/far-files.ts";
import type { ImageStore } from "../agent/image/contract.ts";
import type { PodNetwork } from "../agent/network/contract.ts";
import type { ContainerRuntime } from "../agent/runtime/contract.ts";
import { ContainerEventType } from "../format/cri/generated.ts";
import { Cleanup } from "../lib/cleanup.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import { bootId } from "../sys/process.ts";
import { publish } from "./container-calls.ts";
import { createContainerEvents } from "./container-events.ts";
import type { CriContext } from "./cri-context.ts";
import { sessionBackend } from "./exec-calls.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { imageService } from "./image-service.ts";
import { type ContainerRecord, openRecordTable, type SandboxRecord } from "./record-table.ts";
import { runtimeService } from "./runtime-service.ts";
import { discardSandbox } from "./sandbox-calls.ts";
import { createSandboxNetwork } from "./sandbox-network.ts";
import { criMethods } from "./service-table.ts";
import { startStreamingServer } from "./streaming-server.ts";

/** What the server is made of. The caller owns the runtime. */
export interface CriServerOptions {
  socketPath: string;
  runtime: ContainerRuntime;
  images: ImageStore;
  imageDirectory: string;
  /** Sets up the network of sandboxes when its range is known, without adopting any. */
  openNetwork: (podCidr: string) => PodNetwork;
  /** Known from the start; a kubelet's word is waited for when absent. */
  podCidr?: string;
  /** Records; survives a reboot. */
  stateDirectory: string;
  hostname: string;
  version: string;
  clock: Clock;
  random: Random;
  logger: Logger;
}

const STREAMING_HOST = "127.0.0.1";

/**
 * Serves the Container Runtime Interface, versions v1 and v1alpha2. What an earlier server left
 * running is found again: disposing this one leaves the containers running.
 */
export async function startCriServer(options: CriServerOptions): Promise<AsyncDisposable> {
  const { runtime, images, stateDirectory, clock, random, logger } = options;
  await using cleanup = new Cleanup();
  const filesDirectory = path.join(stateDirectory, "etc");
  mkdirSync(filesDirectory, { recursive: true, mode: 0o711 });
  const sandboxes = openRecordTable<SandboxRecord>(path.join(stateDirectory, "sandboxes"));
  const containers = openRecordTable<ContainerRecord>(path.join(stateDirectory, "containers"));
  const rangeFile = path.join(stateDirectory, "pod-cidr");
  const network = cleanup.use(
    createSandboxNetwork({
      async open(podCidr) {
        const opened = options.openNetwork(podCidr);
        const live = sandboxes.all().filter(({ ready }) => ready);
        await opened.recover(new Set(live.map(({ id }) => id)));
        return opened;
      },
      remember: (podCidr) => writeFileSync(rangeFile, podCidr),
    }),
  );
  const streaming = cleanup.use(
    await startStreamingServer({
      host: STREAMING_HOST,
      backend: sessionBackend({ runtime, network, sandboxes }),
      clock,
      random,
      logger,
    }),
  );
  const far = cleanup.use(createFarFiles({ clock, logger }));
  const context: CriContext = {
    runtime,
    far,
    images,
    network,
    sandboxes,
    containers,
    events: createContainerEvents(),
    streaming,
    filesDirectory,
    imageDirectory: options.imageDirectory,
    hostname: options.hostname,
    version: options.version,
    bootId: bootId(),
    clock,
    random,
    logger,
  };
  await network.setPodCidr(readRange(rangeFile) || (options.podCidr ?? ""));
  await recover(context);
  cleanup.use(runtime.onKernel((id) => network.current()?.restore(id)));
  cleanup.use(
    runtime.onExit(({ id }) => {
      const record = containers.find(id);
      if (record) publish(context, record, ContainerEventType.CONTAINER_STOPPED_EVENT);
    }),
  );
  cleanup.use(
    await startGrpcServer({
      socketPath: options.socketPath,
      methods: criMethods({
        RuntimeService: runtimeService(context),
        ImageService: imageService(context),
      }),
      clock,
      logger,
    }),
  );
  return cleanup.move();
}

function readRange(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}

/** Compares the records with what the runtime and the network still have. */
async function recover(context: CriContext): Promise<void> {
  const { runtime, sandboxes, containers, network, bootId: boot, logger } = context;
  const found = await runtime.recover();
  const known = new Set(found.sandboxes.map(({ id }) => id));
  for (const { id } of found.sandboxes) if (!sandboxes.find(id)) await runtime.removeSandbox(id);
  for (const record of sandboxes.all()) {
    const attached = record.ip === "" || network.current()?.attachment(record.id) !== undefined;
    if (!known.has(record.id)) {
      // It was being made or removed when the server died.
      await discardSandbox(context, record);
    } else if (record.ready && (record.bootId !== boot || !attached)) {
      logger.warn("a sandbox lost its network", { sandbox: record.id });
      sandboxes.save({ ...record, ready: false });
    }
  }
  const alive = new Set(found.containers.map(({ id }) => id));
  for (const { id } of found.containers)
    if (!containers.find(id)) await runtime.removeContainer(id);
  for (const { id, failure } of containers.all()) {
    if (!alive.has(id) && !failure) containers.remove(id);
  }
}
