import type { Client } from "../../client/client.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { WaitingPods } from "../binding-cycle.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import type { PodFeedback } from "../pod-feedback.ts";
import type { SchedulingQueue } from "../queue/scheduling-queue.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import type { Nominations } from "../state/nominations.ts";
import { evictVictim } from "./evict-victims.ts";
import type { Candidate } from "./victims.ts";

/** What preemption changes. */
export interface PreemptorParts {
  client: Client;
  clock: Clock;
  logger: Logger;
  state: ClusterState;
  nominations: Nominations;
  queue: SchedulingQueue;
  waiting: WaitingPods;
  feedback: PodFeedback;
}

/** Promises a node to a pod and makes the pods leave that are in its way. */
export function preempt(
  pod: PodRecord,
  { node, victims }: Pick<Candidate, "node" | "victims">,
  of: PreemptorParts & { schedulerName: string },
): void {
  const { client, clock, logger, schedulerName, state, nominations, feedback } = of;
  // Less important pods that were promised this node must look elsewhere.
  for (const lower of nominations.lowerOn(node, pod)) {
    nominations.delete(lower.uid);
    of.queue.activate(lower.uid);
    void feedback.clearNomination(lower);
  }
  nominations.set(pod, node);
  for (const victim of victims) {
    of.waiting.reject(victim.uid, { reasons: ["preempted"] });
    feedback.preempted(victim.pod, { preemptor: pod, node });
    // As good as terminating: nobody shall be preempted for the same room twice.
    state.addPod({ ...victim, terminating: true }, node);
    evictVictim(victim, { client, clock, schedulerName }).catch((error: unknown) => {
      logger.warn("victim not evicted", { pod: victim.name, error });
      nominations.delete(pod.uid);
      if (state.slotOfPod(victim.uid) !== undefined) state.addPod(victim, node);
    });
  }
}
