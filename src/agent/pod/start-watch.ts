import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Clock } from "../../lib/clock.ts";
import type { AgentMetrics } from "../metrics/contract.ts";
import { containersOf } from "./pod-containers.ts";
import type { PodState } from "./pod-state.ts";
import type { AgentPodStatus } from "./pod-status.ts";

/** Measures how long a pod took until it ran, as its status tells. */
export interface StartWatch {
  /** This is about to be told of the pod. */
  saw(status: AgentPodStatus): void;
}

/** A pod that an earlier agent saw first is not measured. */
export function watchStart(
  state: PodState,
  { clock, metrics }: { clock: Clock; metrics: AgentMetrics },
): StartWatch {
  const isNew = !state.pod.status?.startTime;
  const seenMs = clock.monotonicMs();
  let awaitsPhase = isNew;
  let awaitsContainers = isNew;

  const tellStart = () => {
    const { pod } = state;
    const createdMs = Date.parse(pod.metadata?.creationTimestamp ?? "");
    if (Number.isNaN(createdMs)) return;
    const totalMs = Math.max(0, clock.now() - createdMs);
    metrics.observe("pod_start_total_duration_seconds", totalMs / 1000);
    if (isStateful(pod)) return;
    const ownMs = Math.max(0, totalMs - state.pulls.totalMs - initMs(state));
    metrics.observe("pod_start_sli_duration_seconds", ownMs / 1000);
  };
  return {
    saw({ phase, containerStatuses }) {
      if (awaitsPhase && phase !== "Pending") {
        awaitsPhase = false;
        const seconds = (clock.monotonicMs() - seenMs) / 1000;
        if (phase !== "Failed") metrics.observe("pod_start_duration_seconds", seconds);
      }
      if (!awaitsContainers) return;
      if (phase === "Succeeded" || phase === "Failed") awaitsContainers = false;
      else if (phase === "Running" && containerStatuses?.every((one) => one.state?.running)) {
        awaitsContainers = false;
        tellStart();
      }
    },
  };
}

const STATELESS = ["configMap", "downwardAPI", "emptyDir", "projected", "secret"] as const;

/** Its volumes hold more than what the API and the pod itself put there. */
function isStateful({ spec }: Pod): boolean {
  return (spec?.volumes ?? []).some((volume) => STATELESS.every((kind) => !volume[kind]));
}

/** How long its init containers ran. */
function initMs({ pod, containers }: PodState): number {
  let sum = 0;
  for (const { container, role } of containersOf(pod)) {
    const status = containers.get(container.name)?.current?.status;
    if (role !== "init" || !status) continue;
    const { startedAtMs = status.createdAtMs, finishedAtMs = startedAtMs } = status;
    sum += Math.max(0, finishedAtMs - startedAtMs);
  }
  return sum;
}
