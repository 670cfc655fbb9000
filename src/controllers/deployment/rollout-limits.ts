import type { Deployment, ReplicaSet } from "../../api/generated/types/apps-v1.ts";
import { resolveIntOrPercent } from "../int-or-percent.ts";

/** Pods the deployment wants. */
export function wantedReplicas(deployment: Deployment): number {
  return deployment.spec?.replicas ?? 1;
}

/** Pods of a set as its spec says. */
export function specReplicas(set: ReplicaSet): number {
  return set.spec?.replicas ?? 1;
}

/** Pods of all sets as their specs say. */
export function totalReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + specReplicas(set), 0);
}

/** Available pods of all sets. */
export function totalAvailable(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
}

/** Available pods that the set keeps: its status may still count those that it is to lose. */
function keptAvailable(set: ReplicaSet): number {
  return Math.min(set.status?.availableReplicas ?? 0, specReplicas(set));
}

/**
 * The set was told to shrink and has not said that it did. Grown now, it would pass for as large
 * as its old status says, although the pods that it lost are not replaced yet.
 */
export function isShrinking(set: ReplicaSet): boolean {
  const { replicas = 0, observedGeneration = 0 } = set.status ?? {};
  return replicas > specReplicas(set) && observedGeneration < (set.metadata?.generation ?? 0);
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return (deployment.spec?.strategy?.type ?? "RollingUpdate") === "RollingUpdate";
}

/**
 * How many pods a rolling update may add and how many it may miss. Surge rounds up and
 * unavailability down; when both come out as zero one pod may be missing, or nothing would move.
 */
export function rolloutLimits(deployment: Deployment): { surge: number; unavailable: number } {
  const total = wantedReplicas(deployment);
  if (!isRollingUpdate(deployment)) return { surge: 0, unavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } =
    deployment.spec?.strategy?.rollingUpdate ?? {};
  const surge = resolveIntOrPercent(maxSurge, { total, round: "up" }) ?? 0;
  let unavailable = resolveIntOrPercent(maxUnavailable, { total, round: "down" }) ?? 0;
  if (surge === 0 && unavailable === 0) unavailable = 1;
  return { surge, unavailable: total === 0 ? 0 : Math.min(unavailable, total) };
}

/** The size of the new set that the surge allows right now; it never shrinks a smaller set. */
export function nextNewReplicas(
  deployment: Deployment,
  sets: { all: readonly ReplicaSet[]; current: number },
): number {
  const wanted = wantedReplicas(deployment);
  if (!isRollingUpdate(deployment) || sets.current >= wanted) return wanted;
  const room = wanted + rolloutLimits(deployment).surge - totalReplicas(sets.all);
  return room <= 0 ? sets.current : sets.current + Math.min(room, wanted - sets.current);
}

/** Old sets shrink oldest first. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const older = (set: ReplicaSet) => Date.parse(set.metadata?.creationTimestamp ?? "") || 0;
  return older(a) - older(b) || ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1);
}

/**
 * Sizes for the old sets that keep `minAvailable` pods: first pods that never became available go,
 * then as many available ones as the new set already makes up for.
 */
export function shrinkOldSets(
  deployment: Deployment,
  sets: { old: readonly ReplicaSet[]; current: ReplicaSet | undefined },
): Map<ReplicaSet, number> {
  const sizes = new Map(sets.old.map((set) => [set, specReplicas(set)]));
  const all = sets.current ? [...sets.old, sets.current] : sets.old;
  const minAvailable = wantedReplicas(deployment) - rolloutLimits(deployment).unavailable;
  const newUnavailable = sets.current
    ? specReplicas(sets.current) - keptAvailable(sets.current)
    : 0;
  let excess = totalReplicas(all) - minAvailable - newUnavailable;
  if (totalReplicas(sets.old) === 0 || excess <= 0) return sizes;
  const oldest = [...sets.old].sort(byAge);
  for (const set of oldest) {
    const size = sizes.get(set) ?? 0;
    const unhealthy = size - keptAvailable(set);
    const gone = Math.min(unhealthy, Math.max(0, excess));
    sizes.set(set, size - gone);
    excess -= gone;
  }
  let surplus = all.reduce((sum, set) => sum + keptAvailable(set), 0) - minAvailable;
  for (const set of oldest) {
    const size = sizes.get(set) ?? 0;
    const gone = Math.min(size, Math.max(0, surplus));
    sizes.set(set, size - gone);
    surplus -= gone;
  }
  return sizes;
}
