import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { ShutdownStage } from "./contract.ts";

const DEFAULT_GRACE_SECONDS = 30;

/** Pods that end together; the next ones wait until these have, or until the time is over. */
export interface ShutdownStep {
  /** The longest that all of them get. */
  graceMs: number;
  pods: readonly { pod: Pod; graceMs: number }[];
}

/**
 * Who ends when: the least important pods first. A pod belongs to the stage with the highest
 * priority that is not above its own, or to the lowest one. None gets more than it asked for.
 */
export function planShutdown(
  pods: readonly Pod[],
  stages: readonly ShutdownStage[],
): ShutdownStep[] {
  const rising = stages.toSorted((a, b) => a.priority - b.priority);
  const steps = rising.map(({ graceMs }) => ({
    graceMs,
    pods: [] as { pod: Pod; graceMs: number }[],
  }));
  for (const pod of pods) {
    const priority = pod.spec?.priority ?? 0;
    const at = rising.findLastIndex((stage) => stage.priority <= priority);
    const step = steps[Math.max(0, at)];
    const wantedMs = (pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
    step?.pods.push({ pod, graceMs: Math.min(wantedMs, step.graceMs) });
  }
  return steps.filter((step) => step.pods.length > 0);
}
