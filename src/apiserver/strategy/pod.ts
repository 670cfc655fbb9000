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

type Resources = { requests?: Record<string, string>; limits?: Record<string, string> };

/** Guaranteed, Burstable or BestEffort, from cpu and memory of all containers. */
export function qosClassOf(pod: KubeObject): string {
  const spec = fieldOf(pod, "spec");
  const lists = [spec["containers"], spec["initContainers"]];
  const containers = lists.flatMap((list) =>
    Array.isArray(list) ? (list as { resources?: Resources }[]) : [],
  );
  let any = false;
  let guaranteed = true;
  for (const { resources = {} } of containers) {
    for (const name of ["cpu", "memory"]) {
      const request = resources.requests?.[name];
      const limit = resources.limits?.[name];
      if (request || limit) any = true;
      if (!limit || (request ?? limit) !== limit) guaranteed = false;
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

export const POD: Partial<Strategy> = {
  returnsDeleted: true,
  gracePeriodSeconds,
  prepareCreate: (pod) => {
    pod["status"] = { phase: "Pending", qosClass: qosClassOf(pod) };
  },
  prepareStatus: (pod, old) => {
    // It never changes, so leaving it out says nothing.
    const { qosClass } = fieldOf(old, "status");
    if (qosClass) pod["status"] = { qosClass, ...fieldOf(pod, "status") };
  },
};
