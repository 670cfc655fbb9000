import { formatTime } from "../../lib/clock.ts";
import type { CgroupUsage } from "../../sys/cgroup.ts";
import type { NetworkCounters } from "../network/contract.ts";
import type { FileSystemUsage, NodeUsage, PodStorage, PodsUsage, PodUsage } from "./contract.ts";

/** CPU use in nanocores since the reading before; undefined for the first one. */
export type CpuRate = (
  key: string,
  usage: { cpuNanoseconds: number; atMs: number },
) => number | undefined;

/** Body of `/stats/summary` (stats.kubelet.k8s.io/v1alpha1). */
export function statsSummary(node: NodeUsage, pods: readonly PodUsage[], rateOf: CpuRate): object {
  const time = formatTime(node.atMs);
  const fs = fileSystemOf(node.fileSystem, time);
  const imageFs = fileSystemOf(node.imageFileSystem, time);
  return {
    node: {
      nodeName: node.name,
      startTime: formatTime(node.bootMs),
      ...(node.pods ? { systemContainers: [podsOf(node.pods, { node, time, rateOf })] } : {}),
      cpu: cpuOf(node, { time, rate: rateOf("node", node) }),
      memory: { ...memoryOf(node, time), availableBytes: node.memoryAvailableBytes },
      swap: {
        ...swapOf(node, time),
        swapAvailableBytes: node.swapCapacityBytes - (node.swapBytes ?? 0),
      },
      network: networkOf(node.network, { time, name: node.network.name }),
      fs,
      runtime: { imageFs, containerFs: fs },
      rlimit: { time, maxpid: node.processesMax, curproc: node.processes },
    },
    pods: pods.map((usage) => podSummary(usage, { rateOf, node: node.fileSystem })),
  };
}

/** All pods together, as a container of the system. */
function podsOf(
  pods: PodsUsage,
  { node, time, rateOf }: { node: NodeUsage; time: string; rateOf: CpuRate },
): object {
  const rate = rateOf("pods", { ...pods, atMs: node.atMs });
  const { memoryMaxBytes: maxBytes, workingSetBytes } = pods;
  const left = maxBytes === undefined ? {} : { availableBytes: maxBytes - workingSetBytes };
  return {
    name: "pods",
    startTime: formatTime(node.bootMs),
    cpu: cpuOf(pods, { time, rate }),
    memory: { ...memoryOf(pods, time), ...left },
  };
}

function fileSystemOf(usage: FileSystemUsage, time: string): object {
  const { capacityBytes, availableBytes, usedBytes, inodes, inodesFree } = usage;
  const inodesUsed = inodes - inodesFree;
  return { time, capacityBytes, availableBytes, usedBytes, inodes, inodesFree, inodesUsed };
}

function podSummary(
  { pod, stats, network, storage }: PodUsage,
  { rateOf, node }: { rateOf: CpuRate; node: FileSystemUsage },
): object {
  const time = formatTime(stats.atMs);
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const { atMs } = stats;
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status?.startTime ?? time,
    containers: stats.containers.map((container) => ({
      name: container.name,
      startTime: formatTime(container.startedAtMs),
      cpu: cpuOf(container, { time, rate: rateOf(container.id, { ...container, atMs }) }),
      memory: memoryOf(container, time),
      swap: swapOf(container, time),
      ...(storage ? containerStorage(storage, { name: container.name, time, node }) : {}),
    })),
    cpu: cpuOf(stats, { time, rate: rateOf(uid, stats) }),
    memory: memoryOf(stats, time),
    swap: swapOf(stats, time),
    ...(network ? { network: networkOf(network, { time, name: "eth0" }) } : {}),
    ...(storage ? podStorage(storage, { namespace, time, node }) : {}),
    process_stats: { process_count: stats.tasks },
  };
}

/** A share of a file system, which has the capacity of the whole. */
function shareOf(
  used: { bytes: number; inodes: number },
  { time, fileSystem }: { time: string; fileSystem: FileSystemUsage },
): object {
  return {
    ...fileSystemOf(fileSystem, time),
    usedBytes: used.bytes,
    inodesUsed: used.inodes,
  };
}

const NOTHING = { bytes: 0, inodes: 0 };

function containerStorage(
  { layers, logs }: PodStorage,
  of: { name: string; time: string; node: FileSystemUsage },
): object {
  const at = { time: of.time, fileSystem: of.node };
  return {
    rootfs: shareOf(layers.get(of.name) ?? NOTHING, at),
    logs: shareOf(logs.get(of.name) ?? NOTHING, at),
  };
}

function podStorage(
  storage: PodStorage,
  of: { namespace: string; time: string; node: FileSystemUsage },
): object {
  const { namespace, time, node } = of;
  return {
    volume: storage.volumes.map(({ name, claim, bytes, inodes, fileSystem }) => ({
      ...shareOf({ bytes, inodes }, { time, fileSystem }),
      name,
      ...(claim === undefined ? {} : { pvcRef: { name: claim, namespace } }),
    })),
    "ephemeral-storage": shareOf(storage, { time, fileSystem: node }),
  };
}

function cpuOf(usage: CgroupUsageLike, of: { time: string; rate: number | undefined }): object {
  return {
    time: of.time,
    ...(of.rate === undefined ? {} : { usageNanoCores: Math.round(of.rate) }),
    usageCoreNanoSeconds: usage.cpuNanoseconds,
  };
}

type CgroupUsageLike = Omit<CgroupUsage, "tasks" | "throttling">;

function swapOf({ swapBytes = 0 }: { swapBytes?: number }, time: string): object {
  return { time, swapUsageBytes: swapBytes };
}

function memoryOf(usage: CgroupUsageLike, time: string): object {
  return {
    time,
    usageBytes: usage.memoryBytes,
    workingSetBytes: usage.workingSetBytes,
    rssBytes: usage.residentBytes,
    pageFaults: usage.pageFaults,
    majorPageFaults: usage.majorPageFaults,
  };
}

function networkOf(counters: NetworkCounters, of: { time: string; name: string }): object {
  const link = {
    name: of.name,
    rxBytes: counters.receivedBytes,
    rxErrors: counters.receiveErrors,
    txBytes: counters.sentBytes,
    txErrors: counters.sendErrors,
  };
  return { time: of.time, ...link, interfaces: [link] };
}
