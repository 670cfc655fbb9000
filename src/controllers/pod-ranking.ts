import type { Pod } from "../api/generated/types/core-v1.ts";
import { isReady, readySinceMs, restartsMax } from "./pod-state.ts";

const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** How many pods of the same owner's replica sets run on each node. */
export type NodeCrowding = ReadonlyMap<string, number>;

/** Counts related pods per node; pods without a node do not crowd anything. */
export function crowdingOf(related: readonly Pod[]): NodeCrowding {
  const counts = new Map<string, number>();
  for (const { spec } of related) {
    if (spec?.nodeName) counts.set(spec.nodeName, (counts.get(spec.nodeName) ?? 0) + 1);
  }
  return counts;
}

/**
 * The order in which upstream gives pods up: unassigned, not running, not ready, cheap, crowded
 * together, ready for a short time, often restarted, young. Ages compare by their logarithm and
 * then by UID, so that a scale-down does not always hit the newest zone.
 */
export function byDeletionPreference(
  pods: readonly Pod[],
  at: { crowding: NodeCrowding; nowMs: number },
): Pod[] {
  const crowd = (pod: Pod) => at.crowding.get(pod.spec?.nodeName ?? "") ?? 0;
  const age = (sinceMs: number) => {
    const seconds = Math.floor((at.nowMs - sinceMs) / 1000);
    return sinceMs === 0 || seconds <= 0 ? -1 : Math.floor(Math.log2(seconds));
  };
  const compare = (a: Pod, b: Pod): number =>
    byProgress(a, b) ||
    deletionCost(a) - deletionCost(b) ||
    crowd(b) - crowd(a) ||
    (isReady(a) ? age(readySinceMs(a)) - age(readySinceMs(b)) : 0) ||
    restartsMax(b) - restartsMax(a) ||
    age(createdMs(a)) - age(createdMs(b)) ||
    ((a.metadata?.uid ?? "") < (b.metadata?.uid ?? "") ? -1 : 1);
  return [...pods].sort(compare);
}

/**
 * The order in which pods of a job are given up, where no cost and no crowd counts: the least far
 * first, then those ready for a short time, often restarted, young.
 */
export function byActivity(pods: readonly Pod[]): Pod[] {
  const compare = (a: Pod, b: Pod): number =>
    byProgress(a, b) ||
    (isReady(a) ? readySinceMs(b) - readySinceMs(a) : 0) ||
    restartsMax(b) - restartsMax(a) ||
    createdMs(b) - createdMs(a);
  return [...pods].sort(compare);
}

/** Pods without a node, not running and not ready come first. */
function byProgress(a: Pod, b: Pod): number {
  return (
    Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName)) ||
    (PHASE_ORDER[a.status?.phase ?? ""] ?? 0) - (PHASE_ORDER[b.status?.phase ?? ""] ?? 0) ||
    Number(isReady(a)) - Number(isReady(b))
  );
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.[DELETION_COST] ?? "0";
  return /^-?\d+$/.test(text) ? Number(text) : 0;
}

function createdMs(pod: Pod): number {
  return Date.parse(pod.metadata?.creationTimestamp ?? "") || 0;
}
