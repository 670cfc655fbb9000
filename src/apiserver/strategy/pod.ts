import { qosClassOfSpec } from "../../api/qos-class.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
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

export const POD: Partial<Strategy> = {
  returnsDeleted: true,
  gracePeriodSeconds,
  prepareCreate: (pod) => {
    pod["status"] = { phase: "Pending", qosClass: qosClassOfSpec(fieldOf(pod, "spec")) };
  },
  prepareStatus: (pod, old) => {
    // It never changes, so leaving it out says nothing.
    const { qosClass } = fieldOf(old, "status");
    if (qosClass) pod["status"] = { qosClass, ...fieldOf(pod, "status") };
  },
};
