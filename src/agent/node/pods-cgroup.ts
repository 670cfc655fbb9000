import path from "node:path";
import type { Cgroups } from "../../sys/cgroup.ts";
import type { NodeReservation } from "../config/contract.ts";
import type { PodsUsage } from "../metrics/contract.ts";

/** A group that competes with others of its class only for what these leave. */
const SHARES_MIN = 2;

/** The group of all pods below the group of a node. */
function podsGroup(root: string): string {
  return path.posix.join("/", root, "kubepods");
}

/** What holds the pods of a node together. */
export interface PodsCgroupOptions {
  cgroups: Cgroups;
  /** Group of the node, such as "/nephos". */
  root: string;
  reservation: NodeReservation;
  /** CPUs of the machine in thousandths, and bytes of its memory. */
  capacity: { cpu: number; memory: number; pids: number };
}

/**
 * Makes the groups that pods lie in by their QoS class, and holds all of them together to what is
 * not reserved. Idempotent; the limits follow a configuration that has changed.
 */
export function preparePodsCgroup(options: PodsCgroupOptions): void {
  const { cgroups, root, reservation, capacity } = options;
  const pods = podsGroup(root);
  const bestEffort = path.posix.join(pods, "besteffort");
  cgroups.create(path.posix.join(pods, "burstable"));
  cgroups.create(bestEffort);
  cgroups.limit(bestEffort, { cpuShares: SHARES_MIN });
  const reserved = (name: string) => reservedOf(reservation, name);
  const { enforced } = reservation;
  const pids = reserved("pid");
  cgroups.limit(pods, {
    cpuShares: Math.max(SHARES_MIN, Math.floor(((capacity.cpu - reserved("cpu")) * 1024) / 1000)),
    memoryLimitBytes: memoryMaxBytes(options) ?? -1,
    ...(enforced && pids > 0 ? { pidsMax: Math.max(1, capacity.pids - pids) } : {}),
  });
}

/** What all pods use together, and may use; undefined before they have a group. */
export function readPodsUsage(options: PodsCgroupOptions): PodsUsage | undefined {
  const usage = options.cgroups.usage(podsGroup(options.root));
  return usage && { ...usage, memoryMaxBytes: memoryMaxBytes(options) };
}

function memoryMaxBytes({ reservation, capacity }: PodsCgroupOptions): number | undefined {
  if (!reservation.enforced) return undefined;
  return Math.max(0, capacity.memory - reservedOf(reservation, "memory"));
}

function reservedOf({ kube, system }: NodeReservation, name: string): number {
  return (kube.get(name) ?? 0) + (system.get(name) ?? 0);
}
