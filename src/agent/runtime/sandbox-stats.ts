import type { Cgroups } from "../../sys/cgroup.ts";
import {
  type ContainerStatus,
  type GroupStats,
  RuntimeError,
  type SandboxStats,
  type StatsAsked,
} from "./contract.ts";

/** A pod's groups. */
export interface SandboxGroups {
  atMs: number;
  group: string;
  containers: { status: ContainerStatus; group: string }[];
}

/**
 * What a pod and its running containers use, from their groups. A container whose group has just
 * gone is left out: a counter that reads zero looks like one that began anew.
 * @throws RuntimeError "not-found" when the pod's own group is gone
 */
export function sandboxStats(
  cgroups: Cgroups,
  { atMs, group, containers }: SandboxGroups,
  asked: StatsAsked = {},
): SandboxStats {
  const read = (of: string): GroupStats | undefined => {
    const used = cgroups.usage(of);
    if (!used || !asked.details) return used;
    const details = cgroups.details(of);
    return details && { ...used, details: { ...details, oomKills: cgroups.oomKills(of) } };
  };
  const running = containers
    .filter(({ status }) => status.state === "running")
    .flatMap(({ status, group: own }) => {
      const stats = read(own);
      const { id, name, startedAtMs = status.createdAtMs } = status;
      return stats ? [{ id, name, startedAtMs, ...stats }] : [];
    });
  const all = read(group);
  if (!all) throw new RuntimeError("not-found", `Cannot read the use of "${group}": it has ended`);
  return { atMs, ...all, containers: running };
}
