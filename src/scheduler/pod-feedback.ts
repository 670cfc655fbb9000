import { isConflict, isNotFound } from "../api/errors.ts";
import { PODS } from "../api/generated/resources.ts";
import type { Pod, PodCondition } from "../api/generated/types/core-v1.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder, RecordedEvent } from "../client/event-recorder.ts";
import { type Clock, formatTime } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { PodRecord } from "./pod/pod-profile.ts";

/** What the scheduler tells about a pod goes through these. */
export interface PodFeedbackDeps {
  client: Client;
  clock: Clock;
  events: EventRecorder;
  logger: Logger;
}

/** Tells users what became of their pods: events and the PodScheduled condition. */
export class PodFeedback {
  readonly #deps: PodFeedbackDeps;

  constructor(deps: PodFeedbackDeps) {
    this.#deps = deps;
  }

  scheduled({ pod, namespace, name }: PodRecord, node: string): void {
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    this.#event(pod, { type: "Normal", reason: "Scheduled", message });
  }

  preempted(victim: Pod, by: { preemptor: PodRecord; node: string }): void {
    const message = `Preempted by pod ${by.preemptor.uid} on node ${by.node}`;
    this.#event(victim, { type: "Normal", reason: "Preempted", message });
  }

  /** Never rejects: a condition that could not be written comes with the next attempt. */
  async unschedulable(
    { pod }: PodRecord,
    of: { message: string; reason?: "Unschedulable" | "SchedulerError"; nominatedNode?: string },
  ): Promise<void> {
    const { message, reason = "Unschedulable", nominatedNode } = of;
    this.#event(pod, { type: "Warning", reason: "FailedScheduling", message });
    const condition = this.#condition(pod, { reason, message });
    const status: { conditions?: PodCondition[]; nominatedNodeName?: string | null } = {
      ...(condition ? { conditions: [condition] } : {}),
      ...(nominatedNode === undefined || nominatedNode === (pod.status?.nominatedNodeName ?? "")
        ? {}
        : { nominatedNodeName: nominatedNode || null }),
    };
    if (Object.keys(status).length === 0) return;
    const { resourceVersion = "" } = pod.metadata ?? {};
    // The pod may have its place already: nobody would take a word to the contrary back.
    const isWritten = await this.#patchStatus(pod, { status, resourceVersion });
    if (isWritten || status.nominatedNodeName === undefined) return;
    await this.#patchStatus(pod, { status: { nominatedNodeName: status.nominatedNodeName } });
  }

  /** Takes a pod's claim to a node away. */
  async clearNomination({ pod }: PodRecord): Promise<void> {
    await this.#patchStatus(pod, { status: { nominatedNodeName: null } });
  }

  #condition(pod: Pod, of: { reason: string; message: string }): PodCondition | undefined {
    const known = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    const isKnown = known?.status === "False";
    if (isKnown && known.reason === of.reason && known.message === of.message) return undefined;
    const since = isKnown ? known.lastTransitionTime : undefined;
    const lastTransitionTime = since ?? formatTime(this.#deps.clock.now());
    return {
      type: "PodScheduled",
      status: "False",
      lastTransitionTime,
      ...of,
    };
  }

  /** False when the pod is not any more what the caller took it for. */
  async #patchStatus(
    { metadata }: Pod,
    { status, resourceVersion }: { status: object; resourceVersion?: string },
  ): Promise<boolean> {
    const { client, logger } = this.#deps;
    const { name = "", namespace, uid } = metadata ?? {};
    try {
      await client
        .for(PODS)
        .patch(
          { name, namespace },
          { metadata: { uid, ...(resourceVersion ? { resourceVersion } : {}) }, status },
          { type: "strategic", subresource: "status" },
        );
    } catch (error) {
      if (isConflict(error)) return false;
      if (!isNotFound(error)) logger.warn("pod status not written", { pod: name, error });
    }
    return true;
  }

  #event(
    { metadata }: Pod,
    { type, reason, message }: Pick<RecordedEvent, "type" | "reason" | "message">,
  ): void {
    const about = { apiVersion: "v1", kind: "Pod", metadata };
    this.#deps.events.record({ about, type, reason, message });
  }
}
