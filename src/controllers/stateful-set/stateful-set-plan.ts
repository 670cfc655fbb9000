import type {
  ControllerRevision,
  StatefulSet,
  StatefulSetStatus,
} from "../../api/generated/types/apps-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { REVISION_HASH } from "../controller-revisions.ts";
import { isTerminating } from "../ownership.ts";
import { availableInMs, isFinished, isReady } from "../pod-state.ts";
import { ordinalOf } from "./stateful-pod.ts";

export type StatefulStep =
  | { do: "create"; ordinal: number; revision: ControllerRevision }
  | { do: "delete"; pod: Pod };

/** The set's pods and the two revisions between which a rollout moves. */
export interface ObservedStateful {
  pods: readonly Pod[];
  current: ControllerRevision;
  update: ControllerRevision;
  nowMs: number;
}

const nameOf = (revision: ControllerRevision) => revision.metadata?.name ?? "";
const revisionOf = (pod: Pod) => pod.metadata?.labels?.[REVISION_HASH] ?? "";

function isAvailable(set: StatefulSet, at: { pod: Pod; nowMs: number }): boolean {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  if (at.pod.status?.phase !== "Running") return false;
  return availableInMs(at.pod, { minReadySeconds, nowMs: at.nowMs }) === 0;
}

function isHealthy(set: StatefulSet, at: { pod: Pod; nowMs: number }): boolean {
  return !isTerminating(at.pod) && isAvailable(set, at);
}

function range(set: StatefulSet): { start: number; end: number } {
  const start = set.spec?.ordinals?.start ?? 0;
  return { start, end: start + (set.spec?.replicas ?? 1) };
}

/** Ordinals below it stay at the current revision. */
function partitionOf(set: StatefulSet): number {
  return set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
}

/** Whether a missing pod comes back as the new or as the current revision. */
function revisionFor(
  set: StatefulSet,
  at: { ordinal: number; observed: ObservedStateful },
): ControllerRevision {
  const { current, update } = at.observed;
  const rolling = (set.spec?.updateStrategy?.type ?? "RollingUpdate") === "RollingUpdate";
  if (!rolling) return update;
  const { start } = range(set);
  return at.ordinal < start + partitionOf(set) ? current : update;
}

/**
 * The next writes. Ordered sets move one pod at a time: upwards when pods are missing, downwards
 * when there are too many or their template is old; each step waits for the one before.
 */
export function planStatefulSet(set: StatefulSet, observed: ObservedStateful): StatefulStep[] {
  if (isTerminating(set)) return [];
  const { start, end } = range(set);
  const parallel = set.spec?.podManagementPolicy === "Parallel";
  const pods = new Map(observed.pods.map((pod) => [ordinalOf(set, pod), pod]));
  const steps: StatefulStep[] = [];
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = pods.get(ordinal);
    if (!pod)
      steps.push({ do: "create", ordinal, revision: revisionFor(set, { ordinal, observed }) });
    else if (isFinished(pod) && !isTerminating(pod)) steps.push({ do: "delete", pod });
    const settled = pod && isHealthy(set, { pod, nowMs: observed.nowMs });
    if (!settled && !parallel) return steps;
  }
  const condemned = [...pods.entries()]
    .filter(([ordinal]) => ordinal >= 0 && (ordinal < start || ordinal >= end))
    .sort(([a], [b]) => b - a);
  const isSettled = (pod: Pod) => isHealthy(set, { pod, nowMs: observed.nowMs });
  const [, firstUnsettled] = condemned.findLast(([, pod]) => !isSettled(pod)) ?? [];
  for (const [, pod] of condemned) {
    // An ordered set shrinks only from a healthy pod, or from the one that is all that ails it.
    const isHeld = !parallel && !isSettled(pod) && pod !== firstUnsettled;
    if (!isTerminating(pod) && !isHeld) steps.push({ do: "delete", pod });
    if (!parallel) return steps;
  }
  if (steps.length > 0 && !parallel) return steps;
  return [...steps, ...planUpdate(set, { ...observed, byOrdinal: pods })];
}

function planUpdate(
  set: StatefulSet,
  observed: ObservedStateful & { byOrdinal: ReadonlyMap<number, Pod> },
): StatefulStep[] {
  if (set.spec?.updateStrategy?.type === "OnDelete") return [];
  const { start, end } = range(set);
  for (let ordinal = end - 1; ordinal >= start + partitionOf(set); ordinal--) {
    const pod = observed.byOrdinal.get(ordinal);
    const old = pod && revisionOf(pod) !== nameOf(observed.update);
    if (pod && old && !isTerminating(pod)) return [{ do: "delete", pod }];
    if (!pod || old || !isHealthy(set, { pod, nowMs: observed.nowMs })) return [];
  }
  return [];
}

/** The status that the pods amount to; a finished rollout makes the update revision current. */
export function statefulSetStatus(
  set: StatefulSet,
  observed: ObservedStateful,
): { status: StatefulSetStatus; requeueAfterMs?: number } {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const members = observed.pods.filter((pod) => ordinalOf(set, pod) >= 0);
  const counted = members.filter((pod) => !isTerminating(pod));
  const of = (revision: ControllerRevision) =>
    counted.filter((pod) => revisionOf(pod) === nameOf(revision)).length;
  const ready = members.filter((pod) => pod.status?.phase === "Running" && isReady(pod)).length;
  const waits = members.map((pod) =>
    availableInMs(pod, { minReadySeconds, nowMs: observed.nowMs }),
  );
  const available = members.filter((pod) =>
    isAvailable(set, { pod, nowMs: observed.nowMs }),
  ).length;
  const replicas = members.length;
  const updated = of(observed.update);
  const rolling = (set.spec?.updateStrategy?.type ?? "RollingUpdate") === "RollingUpdate";
  const wanted = set.spec?.replicas ?? 1;
  const finished = rolling && [updated, ready, replicas].every((count) => count === wanted);
  const currentRevision = finished ? nameOf(observed.update) : nameOf(observed.current);
  const currentReplicas = finished ? updated : of(observed.current);
  const { collisionCount, conditions } = set.status ?? {};
  const status: StatefulSetStatus = {
    ...(set.metadata?.generation ? { observedGeneration: set.metadata.generation } : {}),
    replicas,
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(currentReplicas > 0 ? { currentReplicas } : {}),
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
    currentRevision,
    updateRevision: nameOf(observed.update),
    collisionCount: collisionCount ?? 0,
    ...(conditions ? { conditions } : {}),
    availableReplicas: available,
  };
  const pending = waits.filter((wait) => wait !== undefined && wait > 0) as number[];
  return pending.length > 0 ? { status, requeueAfterMs: Math.min(...pending) } : { status };
}
