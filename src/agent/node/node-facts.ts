import { readFileSync, statfsSync } from "node:fs";
import { arch, availableParallelism, release, totalmem } from "node:os";
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

function read(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
