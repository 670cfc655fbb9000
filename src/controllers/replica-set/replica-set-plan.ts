import type { ReplicaSet, ReplicaSetStatus } from "../../api/generated/types/apps-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { planClaims } from "../claims.ts";
import { findCondition, withCondition, withoutCondition } from "../conditions.ts";
import { isTerminating } from "../ownership.ts";
import { availableInMs, isActive, isReady } from "../pod-state.ts";
import { byDeletionPreference, crowdingOf } from "../pod-ranking.ts";

/** Creations or deletions in one pass; the rest follows in the next. */
const BURST_MAX = 500;

/** One write that brings the pods of a replica set closer to what it wants. */
export type ReplicaSetStep =
  | { do: "adopt"; pod: Pod }
  | { do: "release"; pod: Pod }
  | { do: "create"; count: number }
  | { do: "delete"; pod: Pod };

/** What is there, as the controller's view of the cache shows it. */
export interface ObservedPods {
  /** Pods that the set owns, and pods in its namespace that nobody controls. */
  pods: readonly Pod[];
  /** Pods of all replica sets of the same owner, for spreading deletions. */
  related: () => readonly Pod[];
  matches: (labels: Readonly<Record<string, string>> | undefined) => boolean;
  nowMs: number;
}

/** The active pods that count: owned and matching, or about to be adopted. */
export function claimedPods(set: ReplicaSet, observed: ObservedPods): Pod[] {
  return planClaims(set, observed.pods.filter(isActive), observed.matches).claimed;
}

/** The writes that make the number of pods right. A terminating set only lets go of strangers. */
export function planReplicaSet(set: ReplicaSet, observed: ObservedPods): ReplicaSetStep[] {
  const claims = planClaims(set, observed.pods.filter(isActive), observed.matches);
  const { claimed } = claims;
  const steps: ReplicaSetStep[] = [
    ...claims.adopt.map((pod) => ({ do: "adopt", pod }) as const),
    ...claims.release.map((pod) => ({ do: "release", pod }) as const),
  ];
  if (isTerminating(set)) return steps;
  const missing = (set.spec?.replicas ?? 1) - claimed.length;
  if (missing > 0) steps.push({ do: "create", count: Math.min(missing, BURST_MAX) });
  if (missing < 0) {
    const crowding = crowdingOf(observed.related().filter(isActive));
    const ranked = byDeletionPreference(claimed, { crowding, nowMs: observed.nowMs });
    for (const pod of ranked.slice(0, Math.min(-missing, BURST_MAX))) {
      steps.push({ do: "delete", pod });
    }
  }
  return steps;
}

/** The status that the pods amount to, and when it will change by time alone. */
export function replicaSetStatus(
  set: ReplicaSet,
  observed: ObservedPods & { failure?: { reason: string; message: string } | undefined },
): { status: ReplicaSetStatus; requeueAfterMs?: number } {
  const claimed = claimedPods(set, observed);
  const template = Object.entries(set.spec?.template?.metadata?.labels ?? {});
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const waits = claimed.map((pod) =>
    availableInMs(pod, { minReadySeconds, nowMs: observed.nowMs }),
  );
  const pending = waits.filter((wait) => wait !== undefined && wait > 0) as number[];
  const fullyLabeled = claimed.filter(({ metadata }) =>
    template.every(([key, value]) => metadata?.labels?.[key] === value),
  ).length;
  const ready = claimed.filter(isReady).length;
  const available = waits.filter((wait) => wait === 0).length;
  const conditions = failureConditions(set, observed);
  const status: ReplicaSetStatus = {
    replicas: claimed.length,
    ...(fullyLabeled > 0 ? { fullyLabeledReplicas: fullyLabeled } : {}),
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(available > 0 ? { availableReplicas: available } : {}),
    ...(set.metadata?.generation ? { observedGeneration: set.metadata.generation } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
  return pending.length > 0 ? { status, requeueAfterMs: Math.min(...pending) } : { status };
}

function failureConditions(
  set: ReplicaSet,
  observed: { failure?: { reason: string; message: string } | undefined; nowMs: number },
): NonNullable<ReplicaSetStatus["conditions"]> {
  const conditions = set.status?.conditions;
  if (!observed.failure) return withoutCondition(conditions, "ReplicaFailure");
  if (findCondition(conditions, "ReplicaFailure")) return conditions ?? [];
  const wanted = { type: "ReplicaFailure", status: "True", ...observed.failure };
  return withCondition(conditions, wanted, observed.nowMs);
}
