import type { Deployment, ReplicaSet } from "../../api/generated/types/apps-v1.ts";
import { DESIRED_REPLICAS, MAX_REPLICAS } from "./revision.ts";
import {
  byAge,
  isRollingUpdate,
  rolloutLimits,
  specReplicas,
  totalReplicas,
  wantedReplicas,
} from "./rollout-limits.ts";

/** The deployment's size changed since its sets were last scaled. */
export function isScalingEvent(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const recorded = set.metadata?.annotations?.[DESIRED_REPLICAS];
    return specReplicas(set) > 0 && recorded !== undefined
      ? Number(recorded) !== wantedReplicas(deployment)
      : false;
  });
}

/**
 * New sizes after the deployment itself was resized. With one active set it takes the whole change;
 * in the middle of a rollout the change is shared out in proportion, so that its risk stays even.
 */
export function scaleSets(
  deployment: Deployment,
  sets: { current: ReplicaSet | undefined; old: readonly ReplicaSet[] },
): Map<ReplicaSet, number> {
  const wanted = wantedReplicas(deployment);
  const all = sets.current ? [...sets.old, sets.current] : [...sets.old];
  const active = all.filter((set) => specReplicas(set) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? sets.current ?? [...sets.old].sort(byAge).at(-1);
    return only ? new Map([[only, wanted]]) : new Map();
  }
  if (isSaturated(deployment, sets.current)) {
    return new Map(sets.old.filter((set) => specReplicas(set) > 0).map((set) => [set, 0]));
  }
  return isRollingUpdate(deployment) ? shareOut(deployment, active) : new Map();
}

function isSaturated(deployment: Deployment, current: ReplicaSet | undefined): boolean {
  if (!current) return false;
  const wanted = wantedReplicas(deployment);
  const recorded = Number(current.metadata?.annotations?.[DESIRED_REPLICAS]);
  return (
    specReplicas(current) === wanted &&
    recorded === wanted &&
    (current.status?.availableReplicas ?? 0) === wanted
  );
}

function shareOut(deployment: Deployment, active: readonly ReplicaSet[]): Map<ReplicaSet, number> {
  const wanted = wantedReplicas(deployment);
  const allowed = wanted > 0 ? wanted + rolloutLimits(deployment).surge : 0;
  const toAdd = allowed - totalReplicas(active);
  const newestFirst = (a: ReplicaSet, b: ReplicaSet) => (toAdd > 0 ? byAge(b, a) : byAge(a, b));
  const largestFirst = [...active].sort(
    (a, b) => specReplicas(b) - specReplicas(a) || newestFirst(a, b),
  );
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const set of largestFirst) {
    const share = toAdd === 0 ? 0 : shareOf(deployment, { set, allowed, room: toAdd - added });
    sizes.set(set, specReplicas(set) + share);
    added += share;
  }
  const [largest] = largestFirst;
  if (largest && toAdd !== 0) {
    sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  }
  return sizes;
}

function shareOf(
  deployment: Deployment,
  { set, allowed, room }: { set: ReplicaSet; allowed: number; room: number },
): number {
  const size = specReplicas(set);
  if (size === 0 || room === 0) return 0;
  if (wantedReplicas(deployment) === 0) return Math.max(-size, room);
  const recorded = Number(set.metadata?.annotations?.[MAX_REPLICAS]);
  const before = recorded > 0 ? recorded : (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  const share = Math.round((size * allowed) / before) - size;
  return room > 0 ? Math.min(share, room) : Math.max(share, room);
}
