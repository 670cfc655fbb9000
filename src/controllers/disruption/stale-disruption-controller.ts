import { isNotFound } from "../../api/errors.ts";
import { PODS } from "../../api/generated/resources.ts";
import type { Pod, PodCondition } from "../../api/generated/types/core-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { formatTime } from "../../lib/clock.ts";
import { isTerminating, refOf, uidOf } from "../ownership.ts";
import { isFinished, podCondition } from "../pod-state.ts";

/** A disruption that was announced and did not begin for so long will not come. */
const STALE_MS = 2 * 60_000;

/** The announcement of a disruption that may not come; what a node says of its own stands. */
function announcedOn(pod: Pod): PodCondition | undefined {
  if (isTerminating(pod) || isFinished(pod)) return undefined;
  const announced = podCondition(pod, "DisruptionTarget");
  const counts = announced?.status === "True" && announced.reason !== "TerminationByKubelet";
  return counts ? announced : undefined;
}

/** Takes the announcement of a disruption back when the pod is not deleted. */
export function staleDisruptionController(): ControllerDefinition {
  return defineController({
    name: "stale-disruption",
    inputs: { pods: input(PODS, (pod) => (announcedOn(pod) ? [refOf(pod)] : [])) },
    outputs: [{ resource: PODS, verbs: ["patch"], subresources: ["status"] }],
    async reconcile({ inputs, client, clock }, key) {
      const pod = inputs.pods.get(key.namespace, key.name);
      const announced = pod && announcedOn(pod);
      if (!pod || !announced) return {};
      const nowMs = clock.now();
      const sinceMs = Date.parse(announced.lastTransitionTime ?? "") || 0;
      if (sinceMs + STALE_MS > nowMs) return { requeueAfterMs: sinceMs + STALE_MS - nowMs };
      const lastTransitionTime = formatTime(nowMs);
      const condition = { type: "DisruptionTarget", status: "False", lastTransitionTime };
      const patch = { metadata: { uid: uidOf(pod) }, status: { conditions: [condition] } };
      await client
        .for(PODS)
        .patch(refOf(pod), patch, { type: "strategic", subresource: "status" })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      return {};
    },
  });
}
