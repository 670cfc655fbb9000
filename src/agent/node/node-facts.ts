import { readFileSync, statfsSync } from "node:fs";
import { arch, availableParallelism, release, totalmem } from "node:os";
import type { NodeSystemInfo } from "../../api/generated/types/core-v1.ts";
import { canonicalQuantity } from "../../lib/quantity.ts";
import type { NodeReservation } from "../config/contract.ts";
import type { EvictionThresholds, Threshold } from "../eviction/contract.ts";
import { readHugePages } from "./huge-pages.ts";

/** Quantities by resource name, as `status.capacity` has them. */
export type NodeResources = Readonly<Record<string, string>>;

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };

/** What of the machine is for pods. */
export interface NodeShare {
  podsMax: number;
  reservation: NodeReservation;
  /** What hard eviction keeps free. */
  hard: EvictionThresholds;
}

/** What the machine has. `directory` lies on the file system that pods write to. */
export function readCapacity(
  directory: string,
  share: NodeShare,
): { capacity: NodeResources; allocatable: NodeResources } {
  const { blocks, bsize } = statfsSync(directory);
  const amounts = new Map([
    ["cpu", availableParallelism() * 1000],
    ["memory", totalmem()],
    ["ephemeral-storage", blocks * bsize],
  ]);
  const left = allocatableAmounts(amounts, share);
  const kib = (bytes = 0) => `${Math.floor(bytes / 1024)}Ki`;
  const pods = `${share.podsMax}`;
  const pages = readHugePages();
  const pageBytes = [...pages.values()].reduce((sum, bytes) => sum + bytes, 0);
  const pageSizes = Object.fromEntries(
    Array.from(pages, ([name, bytes]) => [name, canonicalQuantity(kib(bytes))]),
  );
  return {
    capacity: {
      cpu: milliText(amounts.get("cpu")),
      memory: kib(amounts.get("memory")),
      "ephemeral-storage": kib(amounts.get("ephemeral-storage")),
      ...pageSizes,
      pods,
    },
    allocatable: {
      cpu: milliText(left.get("cpu")),
      // Pages that are set apart are no memory that anybody else could use.
      memory: kib(Math.max(0, (left.get("memory") ?? 0) - pageBytes)),
      "ephemeral-storage": `${Math.floor(left.get("ephemeral-storage") ?? 0)}`,
      ...pageSizes,
      pods,
    },
  };
}

/** Capacity without what is reserved, and without what eviction keeps free; never below zero. */
export function allocatableAmounts(
  capacity: ReadonlyMap<string, number>,
  { reservation, hard }: Pick<NodeShare, "reservation" | "hard">,
): Map<string, number> {
  const kept: Readonly<Record<string, Threshold | undefined>> = {
    memory: hard["memory.available"],
    "ephemeral-storage": hard["nodefs.available"],
  };
  return new Map(
    Array.from(capacity, ([name, whole]) => {
      const reserved = (reservation.kube.get(name) ?? 0) + (reservation.system.get(name) ?? 0);
      const rule = kept[name];
      const free = !rule ? 0 : "amount" in rule ? rule.amount : rule.share * whole;
      return [name, Math.max(0, whole - reserved - free)];
    }),
  );
}

function milliText(milli = 0): string {
  return milli % 1000 === 0 ? `${milli / 1000}` : `${milli}m`;
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
