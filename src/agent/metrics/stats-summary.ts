import { formatTime } from "../../lib/clock.ts";
import type { CgroupUsage } from "../../sys/cgroup.ts";
import type { NetworkCounters } from "../network/contract.ts";
import type { FileSystemUsage, NodeUsage, PodUsage } from "./contract.ts";

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
      cpu: cpuOf(node, { time, rate: rateOf("node", node) }),
      memory: { ...memoryOf(node, time), availableBytes: node.memoryAvailableBytes },
      network: networkOf(node.network, { time, name: node.network.name }),
      fs,
      runtime: { imageFs, containerFs: fs },
      rlimit: { time, maxpid: node.processesMax, curproc: node.processes },
    },
    pods: pods.map((usage) => podSummary(usage, rateOf)),
  };
}

function fileSystemOf(usage: FileSystemUsage, time: string): object {
  const { capacityBytes, availableBytes, usedBytes, inodes, inodesFree } = usage;
  const inodesUsed = inodes - inodesFree;
  return { time, capacityBytes, availableBytes, usedBytes, inodes, inodesFree, inodesUsed };
}

function podSummary({ pod, stats, network }: PodUsage, rateOf: CpuRate): object {
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
    })),
    cpu: cpuOf(stats, { time, rate: rateOf(uid, stats) }),
    memory: memoryOf(stats, time),
    ...(network ? { network: networkOf(network, { time, name: "eth0" }) } : {}),
    process_stats: { process_count: stats.tasks },
  };
}

function cpuOf(usage: CgroupUsageLike, of: { time: string; rate: number | undefined }): object {
  return {
    time: of.time,
    ...(of.rate === undefined ? {} : { usageNanoCores: Math.round(of.rate) }),
    usageCoreNanoSeconds: usage.cpuNanoseconds,
  };
}

type CgroupUsageLike = Omit<CgroupUsage, "tasks">;

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
