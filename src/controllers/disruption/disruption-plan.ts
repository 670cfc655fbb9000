import type { Pod } from "../../api/generated/types/core-v1.ts";
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from "../../api/generated/types/policy-v1.ts";
import { withCondition } from "../conditions.ts";
import { resolveIntOrPercent } from "../int-or-percent.ts";
import { isTerminating } from "../ownership.ts";
import { isReady } from "../pod-state.ts";

/** An eviction that was allowed but not yet followed by the pod's end counts for this long. */
const EVICTION_MS = 2 * 60_000;

/**
 * The status of a budget over its pods, the pods whose eviction was allowed and never came, and
 * when the next one ceases to count.
 */
export function disruptionStatus(
  budget: PodDisruptionBudget,
  observed: {
    pods: readonly Pod[];
    /** Pods that their workloads want, or why nobody knows; undefined when nobody asked. */
    expected: number | string | undefined;
    nowMs: number;
  },
): { status: PodDisruptionBudgetStatus; overdue: Pod[]; requeueAfterMs?: number } {
  const { nowMs, expected: wanted } = observed;
  if (typeof wanted === "string") {
    return { status: failedStatus(budget, { why: wanted, nowMs }), overdue: [] };
  }
  const { pods } = observed;
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  const { expected, desired } = wantedHealthy(
    { minAvailable, maxUnavailable },
    { pods, expected: wanted },
  );
  const disrupted = new Map<string, string>();
  const waits: number[] = [];
  const overdue: Pod[] = [];
  for (const [name, since] of Object.entries(budget.status?.disruptedPods ?? {})) {
    const pod = pods.find(({ metadata }) => metadata?.name === name);
    const leftMs = Date.parse(since) + EVICTION_MS - nowMs;
    if (!pod || isTerminating(pod)) continue;
    if (leftMs <= 0) {
      overdue.push(pod);
      continue;
    }
    disrupted.set(name, since);
    waits.push(leftMs);
  }
  const healthy = pods.filter(
    (pod) => isReady(pod) && !isTerminating(pod) && !disrupted.has(pod.metadata?.name ?? ""),
  ).length;
  const allowed = expected === 0 ? 0 : Math.max(0, healthy - desired);
  const conditions = withCondition(
    budget.status?.conditions,
    {
      type: "DisruptionAllowed",
      status: allowed > 0 ? "True" : "False",
      reason: allowed > 0 ? "SufficientPods" : "InsufficientPods",
      message: "",
      lastTransitionTime: "",
      observedGeneration: budget.metadata?.generation ?? 0,
    },
    nowMs,
  );
  const status: PodDisruptionBudgetStatus = {
    ...(budget.metadata?.generation ? { observedGeneration: budget.metadata.generation } : {}),
    ...(disrupted.size > 0 ? { disruptedPods: Object.fromEntries(disrupted) } : {}),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    conditions,
  };
  const due = waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : {};
  return { status, overdue, ...due };
}

/** Whether the sizes of workloads matter: a number of pods that must stay is all by itself. */
export function needsSizes({ spec }: PodDisruptionBudget): boolean {
  const { minAvailable, maxUnavailable } = spec ?? {};
  return maxUnavailable !== undefined || String(minAvailable ?? "").endsWith("%");
}

/** Nothing is spared while nobody knows how many there should be. */
function failedStatus(
  { metadata, status }: PodDisruptionBudget,
  { why, nowMs }: { why: string; nowMs: number },
): PodDisruptionBudgetStatus {
  const generation = metadata?.generation ?? 0;
  const failed = {
    type: "DisruptionAllowed",
    status: "False",
    reason: "SyncFailed",
    message: why,
    lastTransitionTime: "",
    observedGeneration: generation,
  };
  return {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    ...status,
    ...(generation ? { observedGeneration: generation } : {}),
    disruptionsAllowed: 0,
    conditions: withCondition(status?.conditions, failed, nowMs),
  };
}

function wantedHealthy(
  budget: {
    minAvailable: number | string | undefined;
    maxUnavailable: number | string | undefined;
  },
  at: { pods: readonly Pod[]; expected: number | undefined },
): { expected: number; desired: number } {
  const { minAvailable, maxUnavailable } = budget;
  if (maxUnavailable !== undefined) {
    const total = at.expected ?? at.pods.length;
    const missing = resolveIntOrPercent(maxUnavailable, { total, round: "up" }) ?? 0;
    return { expected: total, desired: Math.max(0, total - missing) };
  }
  if (typeof minAvailable === "string" && minAvailable.endsWith("%")) {
    const total = at.expected ?? at.pods.length;
    return {
      expected: total,
      desired: resolveIntOrPercent(minAvailable, { total, round: "up" }) ?? 0,
    };
  }
  return { expected: at.pods.length, desired: Number(minAvailable ?? 0) };
}
