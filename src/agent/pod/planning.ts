import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Failure, PodObservation } from "./observation.ts";
import { type Step, stepKey } from "./step.ts";

/** A plan in the making. */
export interface Planning {
  readonly pod: Pod;
  readonly observed: PodObservation;
  readonly nowMs: number;
  readonly steps: Step[];
  wakeAtMs: number;
}

const DEFAULT_GRACE_SECONDS = 30;

/** Adds a step that is not under way. */
export function add(planning: Planning, step: Step): void {
  if (!planning.observed.busy.has(stepKey(step))) planning.steps.push(step);
}

/** Makes the plan look again at that time. */
export function wake(planning: Planning, atMs: number): void {
  planning.wakeAtMs = Math.min(planning.wakeAtMs, atMs);
}

/** True when a failed attempt still has to wait; then the plan wakes up for it. */
export function mustWait(planning: Planning, failure: Failure | undefined): boolean {
  if (!failure || planning.nowMs >= failure.retryAtMs) return false;
  wake(planning, failure.retryAtMs);
  return true;
}

/** What the pod itself gives its containers to end. */
export function graceOf(pod: Pod): number {
  return (pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
}
