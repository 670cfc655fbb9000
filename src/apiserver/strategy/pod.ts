import type { PodCondition, PodSpec } from "../../api/generated/types/core-v1.ts";
import { qosClassOfSpec } from "../../api/qos-class.ts";
import { formatTime } from "../../lib/clock.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import { withLabelKeysMerged } from "./label-keys.ts";
import type { Strategy } from "./strategy.ts";

const DEFAULT_GRACE_SECONDS = 30;

/** Seconds until a pod may be gone; 0 when no node has to stop anything. */
function gracePeriodSeconds(pod: KubeObject, asked: number | undefined): number {
  const spec = fieldOf(pod, "spec");
  const { phase } = fieldOf(pod, "status");
  if (!spec["nodeName"] || phase === "Succeeded" || phase === "Failed") return 0;
  const configured = spec["terminationGracePeriodSeconds"];
  const own = typeof configured === "number" ? configured : DEFAULT_GRACE_SECONDS;
  const seconds = asked ?? own;
  return seconds < 0 ? 1 : seconds;
}

/** Why nobody looks for a place yet; the scheduler does not speak of such pods. */
const GATED: PodCondition = {
  type: "PodScheduled",
  status: "False",
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates",
};

export const POD: Partial<Strategy> = {
  returnsDeleted: true,
  commonSpec: true,
  gracePeriodSeconds,
  prepareCreate: (pod, { nowMs }) => {
    const spec = fieldOf(pod, "spec") as Partial<PodSpec>;
    pod["status"] = {
      phase: "Pending",
      ...(spec.schedulingGates?.length
        ? { conditions: [{ ...GATED, lastTransitionTime: formatTime(nowMs) }] }
        : {}),
      qosClass: qosClassOfSpec(fieldOf(pod, "spec")),
    };
    if (spec.affinity) {
      spec.affinity = withLabelKeysMerged(spec.affinity, pod.metadata.labels ?? {});
    }
  },
  prepareStatus: (pod, old) => {
    // It never changes, so leaving it out says nothing.
    const { qosClass } = fieldOf(old, "status");
    if (qosClass) pod["status"] = { qosClass, ...fieldOf(pod, "status") };
  },
};
