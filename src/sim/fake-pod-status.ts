import type { Pod } from "../api/generated/types/core-v1.ts";
import { formatTime } from "../lib/clock.ts";

/** A strategic patch of the status of a pod that comes into a state, as its node would send it. */
export function fakePodStatus(
  pod: Pod,
  of: {
    to: "running" | "ready" | "failed" | "succeeded";
    nowMs: number;
    podIP?: string | undefined;
  },
): object {
  const { to, nowMs, podIP } = of;
  const now = formatTime(nowMs);
  const ended = to === "failed" || to === "succeeded";
  const ready = to === "ready";
  const condition = (type: string, holds: boolean) => ({
    type,
    status: holds ? "True" : "False",
    lastTransitionTime: now,
  });
  const exitCode = to === "failed" ? 1 : 0;
  const reason = to === "failed" ? "Error" : "Completed";
  const state = ended
    ? { running: null, terminated: { exitCode, reason, startedAt: now, finishedAt: now } }
    : { running: { startedAt: now } };
  const phases = { running: "Running", ready: "Running", failed: "Failed", succeeded: "Succeeded" };
  return {
    phase: phases[to],
    ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    ...(pod.status?.startTime ? {} : { startTime: now }),
    conditions: [
      condition("Ready", ready),
      condition("ContainersReady", ready),
      condition("PodScheduled", true),
    ],
    containerStatuses: (pod.spec?.containers ?? []).map(({ name, image = "" }) => ({
      name,
      image,
      imageID: image,
      ready,
      started: !ended,
      restartCount: 0,
      state,
    })),
  };
}
