import type { Node, Pod, Taint } from "../../api/generated/types/core-v1.ts";
import { tolerates } from "../../api/taint.ts";
import { isTerminating } from "../ownership.ts";
import { isFinished } from "../pod-state.ts";

/**
 * Milliseconds for which a pod may stay under NoExecute taints: 0 when one is not tolerated, the
 * shortest of the times that limit its tolerations, undefined when it may stay for good. Of the
 * tolerations of a taint the first one counts.
 */
export function toleratedMs(pod: Pod, taints: readonly Taint[]): number | undefined {
  const tolerations = pod.spec?.tolerations ?? [];
  let shortest: number | undefined;
  for (const taint of taints) {
    const covering = tolerations.find((toleration) => tolerates(toleration, taint));
    if (!covering) return 0;
    if (covering.tolerationSeconds === undefined) continue;
    const limitMs = Math.max(0, covering.tolerationSeconds) * 1000;
    shortest = Math.min(shortest ?? limitMs, limitMs);
  }
  return shortest;
}

/** Pods that must leave the node now, those that may stay, and when the next one must leave. */
export function planTaintEviction(
  node: Node,
  observed: {
    pods: readonly Pod[];
    /** When the pod is to go that may stay for so long from now; what was said first stands. */
    dueMs: (pod: Pod, limitMs: number) => number;
    nowMs: number;
  },
): { evict: Pod[]; spared: Pod[]; requeueAfterMs?: number } {
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
  const evict: Pod[] = [];
  const spared: Pod[] = [];
  const waits: number[] = [];
  if (taints.length === 0) return { evict, spared };
  for (const pod of observed.pods) {
    if (isTerminating(pod) || isFinished(pod)) continue;
    const limitMs = toleratedMs(pod, taints);
    if (limitMs === undefined) {
      spared.push(pod);
      continue;
    }
    const waitMs = limitMs === 0 ? 0 : observed.dueMs(pod, limitMs) - observed.nowMs;
    if (waitMs <= 0) evict.push(pod);
    else waits.push(waitMs);
  }
  return { evict, spared, ...(waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : {}) };
}
