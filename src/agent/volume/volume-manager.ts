import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { EmptyDirVolumeSource, Pod, Volume } from "../../api/generated/types/core-v1.ts";
import type { Logger } from "../../lib/logger.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import { MOUNT_FLAGS, mount, unmountAside } from "../../sys/mount.ts";
import type { FarFiles } from "../far-files.ts";
import { usedVolumes } from "../used-volumes.ts";
import { type ClaimVolume, followClaim, hasClaim } from "./claim-volume.ts";
import { type PreparedVolume, VolumeError, type VolumeManager } from "./contract.ts";
import { hugePagesMount, isHugePagesMedium } from "./huge-pages.ts";
import { imageVolume, mountImageVolume, type OpenImage } from "./image-volume.ts";
import { followVolume, type LiveVolume, type LiveVolumeContext } from "./live-volume.ts";
import { createLocalVolumes } from "./local-volumes.ts";
import { memoryMediumBytes } from "./memory-medium.ts";
import { nodeFiles } from "./node-files.ts";
import { projectionsOf } from "./payload.ts";
import { giveSolelyUsed } from "./sole-use.ts";
import { pluginOf, StorageOperations, volumeTotals } from "./storage-operations.ts";

/** Where and from what volumes are made. */
export interface VolumeManagerOptions extends Omit<LiveVolumeContext, "facts"> {
  /** What the downward API tells about a pod on this node. */
  factsOf: (pod: Pod) => LiveVolumeContext["facts"];
  /** Bytes of memory that a pod may use, if all of its containers have a limit. */
  memoryLimitOf: (pod: Pod) => number | undefined;
  /** Holds the directories of local persistent volumes. */
  localDirectory: string;
  far: FarFiles;
  openImage: OpenImage;
  logger: Logger;
}

/** Volumes of one pod. */
interface PodVolumes {
  live: Map<string, LiveVolume>;
  claims: Map<string, ClaimVolume>;
  /** The plugins of the volumes that are there, by name. */
  mounted: Map<string, string | undefined>;
  /** Those that containers mount. */
  wanted: readonly Volume[];
  /** Aborts when the pod has to end: it waits for no image. */
  ending: AbortController;
  /** The last `prepare` lacked something. */
  waiting: boolean;
}

/** Files that the agent writes lie here, in memory: no secret reaches a disk. */
const MEMORY = "memory";
const EMPTY = "empty-dir";
const IMAGES = "image";
const MEMORY_BYTES = 256 << 20;

/** Creates the volumes of a node's pods: from the node, from API objects, and claimed ones. */
export function createVolumeManager(options: VolumeManagerOptions): VolumeManager {
  const { client, informers, clock, logger, far, localDirectory: directory } = options;
  const operations = new StorageOperations();
  const secondsSince = (beganMs: number) => (clock.monotonicMs() - beganMs) / 1000;
  const local = createLocalVolumes({ directory, client, informers, logger });
  const pods = new Map<string, PodVolumes>();
  const retryHandlers = new Set<(podUid: string) => void>();

  const rewrite = (uid: string, live: LiveVolume) => {
    live.write().catch((error: unknown) => logger.warn("volume is stale", { uid, error }));
  };

  const retry = (uid: string) => {
    for (const handler of retryHandlers) handler(uid);
  };

  const answers = far.onAnswer(() => {
    // Also of pods that are ready: their next container may wait for it.
    for (const uid of pods.keys()) retry(uid);
  });

  const prepareClaim = async (
    { pod, volume, podDirectory }: { pod: Pod; volume: Volume; podDirectory: string },
    state: PodVolumes,
  ): Promise<PreparedVolume> => {
    const onChange = () => {
      if (state.waiting) retry(pod.metadata?.uid ?? "");
    };
    const known = state.claims.get(volume.name);
    const ending = state.ending.signal;
    const files = nodeFiles(far, ending);
    const context = { informers, clock, ending, local, files, podDirectory, onChange };
    const claim = known ?? followClaim(context, { pod, volume });
    state.claims.set(volume.name, claim);
    return await claim.open();
  };

  const prepareLive = async (
    request: { pod: Pod; volume: Volume; podDirectory: string },
    state: PodVolumes,
  ): Promise<PreparedVolume> => {
    const { pod, volume, podDirectory } = request;
    const uid = pod.metadata?.uid ?? "";
    const directory = path.join(podDirectory, MEMORY, volume.name);
    let live = state.live.get(volume.name);
    if (!live) {
      const context = { ...options, facts: options.factsOf(pod) };
      const onChange = () => {
        if (state.waiting) retry(uid);
        else if (live) rewrite(uid, live);
      };
      live = followVolume(context, { pod, volume, directory, onChange });
      state.live.set(volume.name, live);
    }
    live.setPod(pod);
    await live.write();
    return { hostPath: directory, readOnly: true };
  };

  const prepareOne = async (
    request: { pod: Pod; volume: Volume; podDirectory: string },
    state: PodVolumes,
  ): Promise<PreparedVolume> => {
    const { pod, volume, podDirectory } = request;
    if (projectionsOf(volume)) return await prepareLive(request, state);
    if (hasClaim(volume)) return await prepareClaim(request, state);
    if (volume.hostPath) {
      return await nodeFiles(far, state.ending.signal).openHostPath(volume.hostPath);
    }
    if (volume.emptyDir) {
      const directory = path.join(podDirectory, EMPTY, volume.name);
      const groupId = pod.spec?.securityContext?.fsGroup;
      prepareEmptyDir(volume.emptyDir, { directory, groupId, pod, options });
      return { hostPath: directory, readOnly: false };
    }
    if (volume.image) {
      const directory = path.join(podDirectory, IMAGES, volume.name);
      if (isMounted(directory)) return imageVolume(directory);
      const { openImage } = options;
      const { signal } = state.ending;
      return await mountImageVolume(volume.image, { pod, directory, openImage, signal });
    }
    const kind = Object.keys(volume).find((field) => field !== "name") ?? "unnamed";
    throw new VolumeError("unsupported", `volumes of type "${kind}" are not supported yet`);
  };

  return {
    async prepare(pod, podDirectory) {
      const uid = pod.metadata?.uid ?? "";
      const state = pods.get(uid) ?? newPodVolumes();
      pods.set(uid, state);
      const volumes = usedVolumes(pod);
      if (volumes.some((volume) => projectionsOf(volume))) prepareMemory(podDirectory);
      state.waiting = true;
      state.wanted = volumes;
      const prepared = await Promise.all(
        volumes.map(async (volume): Promise<[string, PreparedVolume]> => {
          const beganMs = clock.monotonicMs();
          const told = (failed: boolean) => {
            const plugin = pluginIn(state, volume);
            operations.done({ plugin, name: "volume_mount", failed }, secondsSince(beganMs));
            if (!failed) state.mounted.set(volume.name, plugin);
          };
          try {
            const one = await prepareOne({ pod, volume, podDirectory }, state);
            if (!state.mounted.has(volume.name)) told(false);
            return [volume.name, one];
          } catch (error) {
            told(true);
            throw named(volume.name, error);
          }
        }),
      );
      state.waiting = false;
      return new Map(prepared);
    },
    ownDirectories: (pod, podDirectory) =>
      new Map(
        usedVolumes(pod)
          .filter(({ emptyDir }) => emptyDir && !emptyDir.medium)
          .map(({ name }) => [name, path.join(podDirectory, EMPTY, name)]),
      ),
    update(pod) {
      const uid = pod.metadata?.uid ?? "";
      if (pod.metadata?.deletionTimestamp) pods.get(uid)?.ending.abort();
      for (const live of pods.get(uid)?.live.values() ?? []) {
        if (live.setPod(pod)) rewrite(uid, live);
      }
    },
    metrics: () => [...operations.families(), totals([...pods.values()])],
    onRetry(handler) {
      retryHandlers.add(handler);
      return { [Symbol.dispose]: () => void retryHandlers.delete(handler) };
    },
    async release(podUid, podDirectory) {
      const state = pods.get(podUid);
      const mounted = [...(state?.mounted.values() ?? [])];
      dispose(state);
      pods.delete(podUid);
      const beganMs = clock.monotonicMs();
      const empty = path.join(podDirectory, EMPTY);
      const images = path.join(podDirectory, IMAGES);
      const targets = [
        path.join(podDirectory, MEMORY),
        ...entriesOf(empty).map((name) => path.join(empty, name)),
        ...entriesOf(images).map((name) => path.join(images, name, "root")),
      ];
      const told = (failed: boolean) => {
        for (const plugin of mounted) {
          operations.done({ plugin, name: "volume_unmount", failed }, secondsSince(beganMs));
        }
      };
      try {
        await Promise.all(targets.map(unmountAside));
      } catch (error) {
        told(true);
        throw error;
      }
      told(false);
      if (state?.claims.size === 0) return;
      giveSolelyUsed(podDirectory);
      for (const [uid, { waiting, claims }] of pods) if (waiting && claims.size > 0) retry(uid);
    },
    async [Symbol.asyncDispose]() {
      for (const state of pods.values()) dispose(state);
      pods.clear();
      answers[Symbol.dispose]();
      local[Symbol.dispose]();
      await Promise.resolve();
    },
  };
}

function pluginIn({ claims }: PodVolumes, volume: Volume): string | undefined {
  const claimed = claims.get(volume.name);
  return pluginOf(claimed ? claimed.volume()?.spec : volume);
}

function totals(pods: readonly PodVolumes[]): MetricFamily {
  return volumeTotals({
    desired: pods.flatMap((state) => state.wanted.map((volume) => pluginIn(state, volume))),
    actual: pods.flatMap(({ mounted }) => [...mounted.values()]),
  });
}

function newPodVolumes(): PodVolumes {
  return {
    live: new Map(),
    claims: new Map(),
    mounted: new Map(),
    wanted: [],
    ending: new AbortController(),
    waiting: false,
  };
}

function dispose(state: PodVolumes | undefined): void {
  state?.ending.abort();
  for (const one of [...(state?.live.values() ?? []), ...(state?.claims.values() ?? [])]) {
    one[Symbol.dispose]();
  }
}

/** Worded as users of Kubernetes know it from the event FailedMount. */
function named(volume: string, error: unknown): VolumeError {
  const message = `MountVolume.SetUp failed for volume "${volume}" : ${(error as Error).message}`;
  const code = error instanceof VolumeError ? error.code : "io";
  return new VolumeError(code, message, { cause: error });
}

function isMounted(imageDirectory: string): boolean {
  const root = path.join(imageDirectory, "root");
  return existsSync(root) && isMountPoint(root);
}

function isMountPoint(directory: string): boolean {
  return statSync(directory).dev !== statSync(path.dirname(directory)).dev;
}

function prepareMemory(podDirectory: string): void {
  const target = path.join(podDirectory, MEMORY);
  mkdirSync(target, { recursive: true, mode: 0o755 });
  if (isMountPoint(target)) return;
  const flags = MOUNT_FLAGS.noSuid | MOUNT_FLAGS.noDevices;
  mount({ source: "tmpfs", target, type: "tmpfs", flags, data: `mode=0755,size=${MEMORY_BYTES}` });
}

function prepareEmptyDir(
  source: EmptyDirVolumeSource,
  of: {
    directory: string;
    groupId: number | undefined;
    pod: Pod;
    options: VolumeManagerOptions;
  },
): void {
  const { directory, groupId, pod, options } = of;
  mkdirSync(directory, { recursive: true });
  const { medium = "" } = source;
  if (isHugePagesMedium(medium) && !isMountPoint(directory)) {
    const data = `${hugePagesMount(pod, medium)},mode=0777`;
    mount({ source: "nodev", target: directory, type: "hugetlbfs", data });
  }
  if (source.medium === "Memory" && !isMountPoint(directory)) {
    const sizeBytes = memoryMediumBytes({
      sizeLimit: source.sizeLimit,
      podBytes: options.memoryLimitOf(pod),
      allocatable: options.factsOf(pod).allocatable?.["memory"],
    });
    const limit = sizeBytes === undefined ? "" : `,size=${sizeBytes}`;
    mount({ source: "tmpfs", target: directory, type: "tmpfs", data: `mode=0777${limit}` });
  }
  chmodSync(directory, groupId === undefined ? 0o777 : 0o2777);
  if (groupId !== undefined) chownSync(directory, 0, groupId);
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
