import { isNotFound } from "../../api/errors.ts";
import { PODS } from "../../api/generated/resources.ts";
import type { Client } from "../../client/client.ts";
import { type Clock, formatTime } from "../../lib/clock.ts";
import type { PodRecord } from "../pod/pod-profile.ts";

/** Reason of the condition that marks a victim. */
export const PREEMPTION_REASON = "PreemptionByScheduler";

/** Says why on the victim, then deletes it. A victim that is gone already is fine. */
export async function evictVictim(
  victim: PodRecord,
  of: { client: Client; clock: Clock; schedulerName: string },
): Promise<void> {
  const { client, clock, schedulerName } = of;
  const { name, namespace, uid } = victim;
  const ref = { name, namespace };
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: PREEMPTION_REASON,
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: formatTime(clock.now()),
  };
  try {
    await client
      .for(PODS)
      .patch(
        ref,
        { metadata: { uid }, status: { conditions: [condition] } },
        { type: "strategic", subresource: "status" },
      );
    await client.for(PODS).delete(ref, { preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
