import type { Pod } from "../../api/generated/types/core-v1.ts";
import { containerFate } from "./container-fate.ts";
import type { Doom, PodObservation } from "./observation.ts";
import { containersOf } from "./pod-containers.ts";

/** How a pod ended, or that it has not. */
export type PodOutcome = "running" | "Succeeded" | "Failed";

/** What the API already says is final stays so, whatever is left on the node. */
export function storedOutcome(pod: Pod): PodOutcome {
  const phase = pod.status?.phase;
  return phase === "Succeeded" || phase === "Failed" ? phase : "running";
}

/** The reason to fail the pod now, as opposed to what its containers did. */
export function doomOf(pod: Pod, observed: PodObservation, nowMs: number): Doom | undefined {
  if (storedOutcome(pod) !== "running") return undefined;
  if (observed.doom) return observed.doom;
  const deadlineMs = deadlineOf(pod, observed);
  if (deadlineMs === undefined || nowMs < deadlineMs) return undefined;
  return {
    reason: "DeadlineExceeded",
    message: "Pod was active on the node longer than the specified deadline",
  };
}

/** When `activeDeadlineSeconds` runs out. */
export function deadlineOf(pod: Pod, observed: PodObservation): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  return seconds === undefined ? undefined : observed.acceptedAtMs + seconds * 1000;
}

/** What the containers' ends mean for the pod, by its restart policy. */
export function containerOutcome(pod: Pod, observed: PodObservation): PodOutcome {
  let succeeded = true;
  for (const item of containersOf(pod)) {
    const fate = containerFate(pod, item, observed.containers.get(item.container.name));
    if (item.role === "init" && fate === "failed") return "Failed";
    if (item.role !== "main") continue;
    if (fate !== "succeeded" && fate !== "failed") return "running";
    if (fate === "failed") succeeded = false;
  }
  return succeeded ? "Succeeded" : "Failed";
}
