import type { Cgroups, CgroupUsage } from "../../sys/cgroup.ts";
import type { ContainerStatus, GroupStats, SandboxStats, StatsAsked } from "./contract.ts";

const NO_USAGE: CgroupUsage = {
  cpuNanoseconds: 0,
  memoryBytes: 0,
  workingSetBytes: 0,
  residentBytes: 0,
  cacheBytes: 0,
  pageFaults: 0,
  majorPageFaults: 0,
  tasks: 0,
};

/** A pod's groups. */
export interface SandboxGroups {
  atMs: number;
  group: string;
  containers: { status: ContainerStatus; group: string }[];
}

/** What a pod and its running containers use, from their groups: what is gone, nothing. */
export function sandboxStats(
  cgroups: Cgroups,
  of: SandboxGroups,
  asked: StatsAsked = {},
): SandboxStats {
  const usage = (group: string): GroupStats => {
    const used = cgroups.usage(group) ?? NO_USAGE;
    const details = asked.details ? cgroups.details(group) : undefined;
    return details ? { ...used, details: { ...details, oomKills: cgroups.oomKills(group) } } : used;
  };
  return {
    atMs: of.atMs,
    ...usage(of.group),
    containers: of.containers
      .filter(({ status }) => status.state === "running")
      .map(({ status, group }) => ({
        id: status.id,
        name: status.name,
        startedAtMs: status.startedAtMs ?? status.createdAtMs,
        ...usage(group),
      })),
  };
}
