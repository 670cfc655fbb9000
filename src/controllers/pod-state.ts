import type { Pod, PodCondition, PodTemplateSpec } from "../api/generated/types/core-v1.ts";
import type { OwnerReference } from "../api/generated/types/meta-v1.ts";
import { isTerminating } from "./ownership.ts";

/** Ran to its end: it will never run again. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Neither finished nor on its way out: counts towards wanted replicas. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isTerminating(pod);
}

/** The condition of that type, if the pod has it. */
export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

/** Passes its readiness probes and gates. */
export function isReady(pod: Pod): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

/** Since when the pod is ready; 0 when it is not. */
export function readySinceMs(pod: Pod): number {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return 0;
  return ready.lastTransitionTime ? Date.parse(ready.lastTransitionTime) : 0;
}

/** Milliseconds until a ready pod has been so for `minReadySeconds`; undefined when not ready. */
export function availableInMs(
  pod: Pod,
  at: { minReadySeconds: number; nowMs: number },
): number | undefined {
  if (!isReady(pod)) return undefined;
  if (at.minReadySeconds === 0) return 0;
  return Math.max(0, readySinceMs(pod) + at.minReadySeconds * 1000 - at.nowMs);
}

/**
 * When a pod that failed or succeeded did so: when its last container ended, or else when it ceased
 * to be ready, was deleted, or was made.
 */
export function finishedAtMs({ metadata, spec, status }: Pod): number {
  const sidecars = new Set(
    (spec?.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === "Always")
      .map(({ name }) => name),
  );
  const ends = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ].map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ""));
  if (ends.length > 0 && !ends.some(Number.isNaN)) return Math.max(...ends);
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const unready = ready?.status === "False" ? Date.parse(ready.lastTransitionTime ?? "") : NaN;
  if (!Number.isNaN(unready)) return unready;
  const { deletionTimestamp, deletionGracePeriodSeconds: graceSeconds = 0 } = metadata ?? {};
  if (deletionTimestamp) return Date.parse(deletionTimestamp) - graceSeconds * 1000;
  return Date.parse(metadata?.creationTimestamp ?? "") || 0;
}

/** Restarts of the container that restarted most. */
export function restartsMax(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((one) => one.restartCount ?? 0));
}

/** What a pod of a template looks like before the server names it. */
export function podFromTemplate(
  template: PodTemplateSpec | undefined,
  from: { namespace: string; generateName: string; owner: OwnerReference },
): Pod {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: from.generateName,
      namespace: from.namespace,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [from.owner],
    },
    spec: template?.spec ?? { containers: [] },
  };
}
