import type { Pod } from "../api/generated/types/core-v1.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import {
  type EvictionRules,
  type EvictionSignal,
  NOT_MEASURED,
  type ResourceUse,
  type SignalReadings,
} from "./eviction/contract.ts";
import { diskUsage } from "./eviction/disk-usage.ts";
import { type EvictionManager, startEviction } from "./eviction/eviction-manager.ts";
import { isOfMemory, type PodUse, resourceOf } from "./eviction/eviction-plan.ts";
import type { LocalStorageUse } from "./eviction/local-storage.ts";
import type { ImageCollector } from "./image/contract.ts";
import type { NodeUsage } from "./metrics/contract.ts";
import { identityOf } from "./pod/pod-containers.ts";
import type { PodManager } from "./pod/pod-manager.ts";
import { podRequests } from "./pod/pod-requests.ts";
import { podDirectories } from "./pod-storage.ts";
import type { ContainerRuntime } from "./runtime/contract.ts";
import type { VolumeManager } from "./volume/contract.ts";

/** Where the figures come from and who acts on them. */
export interface NodePressureOptions {
  manager: PodManager;
  runtime: ContainerRuntime;
  volumes: VolumeManager;
  readNode: () => NodeUsage;
  rules: EvictionRules;
  /** Images that nobody uses go before pods do. */
  collector: ImageCollector;
  /** Images lie on a disk of their own. */
  imagesApart: boolean;
  clock: Clock;
  logger: Logger;
  announce: (resource: string) => void;
  onPressure: () => void;
}

/** Watches over the node's memory, disk and processes, and evicts pods that take too much. */
export function startNodePressure(options: NodePressureOptions): EvictionManager {
  const { manager, clock, logger, rules, onPressure } = options;
  return startEviction({
    clock,
    logger,
    rules,
    readings: () => readingsOf(options.readNode()),
    pods: () => manager.pods().filter((pod) => isRunning(pod, manager)),
    useOf: (pod, signal) => useOf(pod, signal, options),
    localStorageOf: (pod) => localStorageOf(pod, options),
    reclaim: (signal) => reclaim(signal, options),
    memoryStall: () => (options.readNode().stall?.memory.some.avg10 ?? 0) / 100,
    evict: (pod, how) => {
      logger.warn("evicting a pod", { ...identityOf(pod), message: how.message });
      manager.evict(pod, how);
    },
    announce: options.announce,
    onPressure,
  });
}

function isRunning(pod: Pod, manager: PodManager): boolean {
  const state = manager.find(identityOf(pod))?.state;
  return pod.status?.phase === "Running" && state !== undefined && !state.doom;
}

/** What lies on the disk that is short. */
function sharedBy(signal: EvictionSignal, imagesApart: boolean) {
  const isOfImages = signal.startsWith("imagefs.");
  return { ofPods: !imagesApart || !isOfImages, ofImages: !imagesApart || isOfImages };
}

/** Memory and processes can be had back from pods only. */
async function reclaim(
  signal: EvictionSignal,
  { manager, collector, imagesApart, logger }: NodePressureOptions,
): Promise<void> {
  if (isOfMemory(signal) || signal === "pid.available") return;
  const { ofPods, ofImages } = sharedBy(signal, imagesApart);
  const containers = ofPods ? await manager.discardPrevious() : 0;
  const images = ofImages ? await collector.collectAll() : 0;
  if (containers + images > 0) logger.info("reclaimed disk", { signal, containers, images });
}

function readingsOf(node: NodeUsage): SignalReadings {
  const { fileSystem, imageFileSystem } = node;
  const { pods } = node;
  const podsMax = pods?.memoryMaxBytes;
  return {
    "allocatableMemory.available":
      pods && podsMax !== undefined
        ? { available: podsMax - pods.workingSetBytes, capacity: podsMax }
        : NOT_MEASURED,
    "memory.available": {
      available: node.memoryAvailableBytes,
      capacity: node.memoryCapacityBytes,
    },
    "nodefs.available": {
      available: fileSystem.availableBytes,
      capacity: fileSystem.capacityBytes,
    },
    "nodefs.inodesFree": { available: fileSystem.inodesFree, capacity: fileSystem.inodes },
    "imagefs.available": {
      available: imageFileSystem.availableBytes,
      capacity: imageFileSystem.capacityBytes,
    },
    "imagefs.inodesFree": {
      available: imageFileSystem.inodesFree,
      capacity: imageFileSystem.inodes,
    },
    "pid.available": {
      available: node.processesMax - node.processes,
      capacity: node.processesMax,
    },
  };
}

async function useOf(
  pod: Pod,
  signal: EvictionSignal,
  options: NodePressureOptions,
): Promise<PodUse | undefined> {
  const use = await resourceUse(pod, signal, options);
  return use && { pod, requested: podRequests(pod).get(resourceOf(signal)) ?? 0, ...use };
}

async function resourceUse(
  pod: Pod,
  signal: EvictionSignal,
  options: NodePressureOptions,
): Promise<ResourceUse | undefined> {
  const containers = new Map<string, number>();
  if (isOfMemory(signal) || signal === "pid.available") {
    try {
      const stats = await options.runtime.stats(identityOf(pod).uid);
      if (signal === "pid.available") return { used: stats.tasks, containers };
      for (const { name, workingSetBytes } of stats.containers) {
        containers.set(name, workingSetBytes);
      }
      return { used: stats.workingSetBytes, containers };
    } catch {
      return undefined; // it has just gone
    }
  }
  if (!sharedBy(signal, options.imagesApart).ofPods) return { used: 0, containers };
  let [inodes, bytes] = [0, 0];
  for (const { directory, container } of podDirectories(pod, options)) {
    const usage = await diskUsage(directory);
    inodes += usage.inodes;
    bytes += usage.bytes;
    if (container) containers.set(container, (containers.get(container) ?? 0) + usage.bytes);
  }
  if (signal.endsWith(".inodesFree")) return { used: inodes, containers: new Map() };
  return { used: bytes, containers };
}

async function localStorageOf(pod: Pod, options: NodePressureOptions): Promise<LocalStorageUse> {
  const emptyDirs = new Map<string, number>();
  const containers = new Map<string, number>();
  for (const { directory, volume, container } of podDirectories(pod, options)) {
    const { bytes } = await diskUsage(directory);
    if (volume !== undefined) emptyDirs.set(volume, bytes);
    if (container !== undefined)
      containers.set(container, (containers.get(container) ?? 0) + bytes);
  }
  return { emptyDirs, containers };
}
