import { readFileSync, statfsSync } from "node:fs";
import { arch, availableParallelism, freemem, release, totalmem } from "node:os";
import type { NodeSystemInfo } from "../../api/generated/types/core-v1.ts";

/** Quantities by resource name, as `status.capacity` has them. */
export type NodeResources = Readonly<Record<string, string>>;

const PODS_MAX = 110;
/** Kept free for the node itself: upstream's hard eviction thresholds. */
const MEMORY_RESERVE_BYTES = 100 << 20;
const DISK_SHARE = 0.9;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };

/** What the machine has. `directory` lies on the file system that pods write to. */
export function readCapacity(directory: string): {
  capacity: NodeResources;
  allocatable: NodeResources;
} {
  const { blocks, bsize } = statfsSync(directory);
  const diskBytes = blocks * bsize;
  const shared = { cpu: `${availableParallelism()}`, pods: `${PODS_MAX}` };
  const kib = (bytes: number) => `${Math.floor(bytes / 1024)}Ki`;
  return {
    capacity: { ...shared, memory: kib(totalmem()), "ephemeral-storage": kib(diskBytes) },
    allocatable: {
      ...shared,
      memory: kib(totalmem() - MEMORY_RESERVE_BYTES),
      "ephemeral-storage": `${Math.floor(diskBytes * DISK_SHARE)}`,
    },
  };
}

/** Identity and versions of the machine. */
export function readSystemInfo(versions: { kubelet: string; runtime: string }): NodeSystemInfo {
  const machineId = read("/etc/machine-id");
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(read("/etc/os-release"))?.[1] ?? "Linux";
  return {
    architecture: ARCHITECTURES[arch()] ?? arch(),
    bootID: read("/proc/sys/kernel/random/boot_id"),
    containerRuntimeVersion: versions.runtime,
    kernelVersion: release(),
    kubeProxyVersion: versions.kubelet,
    kubeletVersion: versions.kubelet,
    machineID: machineId,
    operatingSystem: "linux",
    osImage: name,
    systemUUID: read("/sys/class/dmi/id/product_uuid") || machineId,
  };
}

/** How close the node is to its limits; true means pressure. */
export interface NodePressure {
  memory: boolean;
  disk: boolean;
  pids: boolean;
}

/** Reads the signals behind the pressure conditions, with upstream's default thresholds. */
export function readPressure(directory: string): NodePressure {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(read("/proc/meminfo"))?.[1];
  const memoryBytes = available === undefined ? freemem() : Number(available) * 1024;
  const { bavail, blocks, ffree, files } = statfsSync(directory);
  const pidsMax = Number(read("/proc/sys/kernel/pid_max")) || 32_768;
  const threads = Number(/\d+\/(\d+)/.exec(read("/proc/loadavg"))?.[1] ?? 0);
  return {
    memory: memoryBytes < MEMORY_RESERVE_BYTES,
    disk: bavail < blocks * (1 - DISK_SHARE) || (files > 0 && ffree < files * 0.05),
    pids: threads > pidsMax * DISK_SHARE,
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
