import type { Node, Pod, Taint } from "../../api/generated/types/core-v1.ts";
import { tolerates } from "../../api/taint.ts";
import { isTerminating } from "../ownership.ts";
import { isFinished } from "../pod-state.ts";

/**
 * Milliseconds for which a pod may stay under NoExecute taints: 0 when one is not tolerated, the
 * shortest of the times that limit its tolerations, undefined when it may stay for good.
 */
export function toleratedMs(pod: Pod, taints: readonly Taint[]): number | undefined {
  const tolerations = pod.spec?.tolerations ?? [];
  let shortest: number | undefined;
  for (const taint of taints) {
    const covering = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (covering.length === 0) return 0;
    for (const { tolerationSeconds } of covering) {
      if (tolerationSeconds === undefined) continue;
      const limitMs = Math.max(0, tolerationSeconds) * 1000;
      shortest = Math.min(shortest ?? limitMs, limitMs);
    }
  }
  return shortest;
}

/** Pods that must leave the node now, and when the next one must. */
export function planTaintEviction(
  node: Node,
  observed: {
    pods: readonly Pod[];
    /** Since when the set of NoExecute taints has been what it is for this pod. */
    sinceMs: (pod: Pod) => number;
    nowMs: number;
  },
): { evict: Pod[]; requeueAfterMs?: number } {
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
  const evict: Pod[] = [];
  const waits: number[] = [];
  if (taints.length === 0) return { evict };
  for (const pod of observed.pods) {
    if (isTerminating(pod) || isFinished(pod)) continue;
    const limitMs = toleratedMs(pod, taints);
    if (limitMs === undefined) continue;
    const waitMs = limitMs === 0 ? 0 : observed.sinceMs(pod) + limitMs - observed.nowMs;
    if (waitMs <= 0) evict.push(pod);
    else waits.push(waitMs);
  }
  return waits.length > 0 ? { evict, requeueAfterMs: Math.min(...waits) } : { evict };
}
