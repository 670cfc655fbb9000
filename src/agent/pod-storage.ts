import path from "node:path";
import type { Pod } from "../api/generated/types/core-v1.ts";
import type { Clock } from "../lib/clock.ts";
import { diskUsage } from "./eviction/disk-usage.ts";
import type { FarFiles } from "./far-files.ts";
import type { FarUsage } from "./far-process.ts";
import type { FileSystemUsage, PodStorage } from "./metrics/contract.ts";
import { fileSystemUsage } from "./metrics/node-usage.ts";
import { identityOf } from "./pod/pod-containers.ts";
import type { PodManager } from "./pod/pod-manager.ts";
import type { ContainerRuntime } from "./runtime/contract.ts";
import type { PreparedVolume, VolumeManager } from "./volume/contract.ts";

/** Who knows where a pod keeps its files. */
export interface PodStorageParts {
  manager: PodManager;
  runtime: ContainerRuntime;
  volumes: VolumeManager;
}

/** A directory of the node's own disk that one pod may fill. */
export interface PodDirectory {
  directory: string;
  /** Its emptyDir. */
  volume?: string;
  /** Its container, whose writable layer or output it is. */
  container?: string;
  holds?: "layer" | "logs";
}

/** All that a pod may fill on the node's own disk. */
export function podDirectories(pod: Pod, parts: PodStorageParts): PodDirectory[] {
  const { manager, runtime, volumes } = parts;
  const state = manager.find(identityOf(pod))?.state;
  if (!state) return [];
  const own = volumes.ownDirectories(pod, state.directory);
  const layers = runtime.containers(identityOf(pod).uid);
  return [
    ...Array.from(own, ([volume, directory]) => ({ directory, volume })),
    ...layers.map(({ id, name }) => {
      return { directory: runtime.writableLayer(id), container: name, holds: "layer" as const };
    }),
    ...(pod.spec?.containers ?? []).map(({ name }) => {
      const directory = path.join(state.logDirectory, name);
      return { directory, container: name, holds: "logs" as const };
    }),
  ];
}

interface MeasuringParts extends PodStorageParts {
  far: FarFiles;
}

/** Measuring walks through all files: as often as a kubelet does. */
const FRESH_MS = 60_000;

/** Measures what pods have on disk, each at most once a minute. */
export function createPodStorage(
  parts: MeasuringParts & { clock: Clock },
): (pod: Pod, node: FileSystemUsage) => Promise<PodStorage> {
  const known = new Map<string, { atMs: number; storage: Promise<PodStorage> }>();
  return (pod, node) => {
    const { uid } = identityOf(pod);
    const nowMs = parts.clock.now();
    for (const [key, { atMs }] of known) if (nowMs - atMs >= FRESH_MS) known.delete(key);
    const found = known.get(uid) ?? { atMs: nowMs, storage: measure(pod, node, parts) };
    known.set(uid, found);
    return found.storage;
  };
}

async function measure(
  pod: Pod,
  node: FileSystemUsage,
  parts: MeasuringParts,
): Promise<PodStorage> {
  const prepared = parts.manager.find(identityOf(pod))?.state.prepared;
  const { far } = parts;
  const storage: PodStorage = {
    volumes: [],
    layers: new Map(),
    logs: new Map(),
    bytes: 0,
    inodes: 0,
  };
  const add = (
    to: Map<string, { bytes: number; inodes: number }>,
    name: string,
    of: typeof NONE,
  ) => {
    const before = to.get(name) ?? NONE;
    to.set(name, { bytes: before.bytes + of.bytes, inodes: before.inodes + of.inodes });
  };
  for (const { directory, volume, container = "", holds } of podDirectories(pod, parts)) {
    const usage = await diskUsage(directory);
    storage.bytes += usage.bytes;
    storage.inodes += usage.inodes;
    if (volume !== undefined) storage.volumes.push({ name: volume, ...usage, fileSystem: node });
    else add(holds === "layer" ? storage.layers : storage.logs, container, usage);
  }
  for (const { name, persistentVolumeClaim, ephemeral } of pod.spec?.volumes ?? []) {
    const volume = prepared?.get(name);
    if ((!persistentVolumeClaim && !ephemeral) || !volume) continue;
    const claim = persistentVolumeClaim?.claimName ?? `${identityOf(pod).name}-${name}`;
    const usage = await measureClaim(volume, far);
    if (usage) storage.volumes.push({ name, claim, ...usage });
  }
  return storage;
}

const NONE = { bytes: 0, inodes: 0 };

/** Undefined for what does not answer: a kubelet leaves it out too. */
async function measureClaim(
  { hostPath, farMount }: PreparedVolume,
  far: FarFiles,
): Promise<FarUsage | undefined> {
  if (farMount) {
    const job = { do: "usage", directory: hostPath } as const;
    return await far.perform(job, { mount: farMount }).catch(() => undefined);
  }
  return { ...(await diskUsage(hostPath)), fileSystem: fileSystemUsage(hostPath) };
}
