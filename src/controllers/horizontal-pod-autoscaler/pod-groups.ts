import type { Pod } from "../../api/generated/types/core-v1.ts";
import { isTerminating } from "../ownership.ts";
import { podCondition } from "../pod-state.ts";

/** So long after its start the use of CPU says little about a pod: it warms up. */
const CPU_INITIALIZATION_MS = 5 * 60_000;
/** A pod whose readiness has not changed since was never ready. */
const INITIAL_READINESS_MS = 30_000;

/** One measured value of a pod, in thousandths. */
export interface PodValue {
  milli: number;
  atMs: number;
  windowMs: number;
}

/** Which pods count for what. */
export interface PodGroups {
  /** How many count in full. */
  ready: number;
  unready: readonly string[];
  missing: readonly string[];
  /** Values of pods that are ready, by name. */
  values: Map<string, number>;
}

/** Sorts pods by what their metrics may be used for; `resource` is "" for other metrics. Pure. */
export function groupPods(
  pods: readonly Pod[],
  of: { values: ReadonlyMap<string, PodValue>; resource: string; nowMs: number },
): PodGroups {
  const groups = { ready: 0, unready: [] as string[], missing: [] as string[] };
  const values = new Map<string, number>();
  for (const pod of pods) {
    const name = pod.metadata?.name ?? "";
    if (isTerminating(pod) || pod.status?.phase === "Failed") continue;
    const value = of.values.get(name);
    if (pod.status?.phase === "Pending") groups.unready.push(name);
    else if (!value) groups.missing.push(name);
    else if (of.resource === "cpu" && isWarmingUp(pod, value, of.nowMs)) groups.unready.push(name);
    else {
      groups.ready++;
      values.set(name, value.milli);
    }
  }
  return { ...groups, values };
}

function isWarmingUp(pod: Pod, value: PodValue, nowMs: number): boolean {
  const condition = podCondition(pod, "Ready");
  const startMs = Date.parse(pod.status?.startTime ?? "");
  if (!condition || Number.isNaN(startMs)) return true;
  const changedMs = Date.parse(condition.lastTransitionTime ?? "") || 0;
  const isUnready = condition.status === "False";
  if (startMs + CPU_INITIALIZATION_MS > nowMs) {
    // A value that began before the pod was ready still counts its start.
    return isUnready || value.atMs < changedMs + value.windowMs;
  }
  return isUnready && startMs + INITIAL_READINESS_MS > changedMs;
}
