import type { Pod } from "../../api/generated/types/core-v1.ts";
import { containerFate } from "./container-fate.ts";
import { restartAtMs } from "./crash-backoff.ts";
import {
  type ContainerObservation,
  FRESH_FAILURE_MS,
  isAlive,
  isBackingOff,
  isStarted,
  type PodObservation,
  type Preparation,
} from "./observation.ts";
import { add, graceOf, mustWait, type Planning, wake } from "./planning.ts";
import { containersOf, type PodContainer } from "./pod-containers.ts";
import { planEnd } from "./pod-end-plan.ts";
import { containerOutcome, deadlineOf, doomOf, storedOutcome } from "./pod-outcome.ts";
import { changedNames, needsRestart } from "./resize.ts";
import type { Step } from "./step.ts";

/** What to do for a pod now, and when to look again even if nothing happens until then. */
export interface PodPlan {
  steps: Step[];
  wakeAtMs?: number;
}

/** Decides the next steps of a pod. Pure: the same facts give the same steps. */
export function planPod(pod: Pod, observed: PodObservation, nowMs: number): PodPlan {
  const planning: Planning = { pod, observed, nowMs, steps: [], wakeAtMs: Infinity };
  if (mustEnd(planning)) planEnd(planning);
  else if (!observed.held) planLife(planning);
  const { steps, wakeAtMs } = planning;
  return wakeAtMs === Infinity ? { steps } : { steps, wakeAtMs };
}

/** Whether the pod has to come to its end: deleted, failed by the node, or finished. */
export function mustEnd(input: { pod: Pod; observed: PodObservation; nowMs: number }): boolean {
  const { pod, observed, nowMs } = input;
  return (
    observed.gone ||
    pod.metadata?.deletionTimestamp !== undefined ||
    doomOf(pod, observed, nowMs) !== undefined ||
    storedOutcome(pod) !== "running" ||
    containerOutcome(pod, observed) !== "running"
  );
}

function planLife(planning: Planning): void {
  const { pod, observed } = planning;
  prepare(planning, observed.volumes, { do: "prepare-volumes" });
  prepare(planning, observed.sandbox, { do: "create-sandbox" });
  const deadlineMs = deadlineOf(pod, observed);
  if (deadlineMs !== undefined) wake(planning, deadlineMs);
  for (const item of containersInTurn(pod, observed)) planContainer(planning, item);
  planResize(planning);
  for (const [container, { stale }] of observed.containers) {
    for (const id of stale) add(planning, { do: "remove-container", container, id });
  }
}

function prepare(planning: Planning, preparation: Preparation, step: Step): void {
  if (preparation.ready || mustWait(planning, preparation.failure)) return;
  add(planning, step);
}

/**
 * Containers that should run by now: init containers one after another, sidecars staying behind
 * them, then all others. A container with a postStart hook holds back those after it; ephemeral
 * containers wait for nobody.
 */
function containersInTurn(pod: Pod, observed: PodObservation): PodContainer[] {
  const all = containersOf(pod);
  const lasting = all.filter(({ role }) => role !== "ephemeral");
  const ephemeral = all.slice(lasting.length);
  return [...lasting.slice(0, countInTurn(pod, lasting, observed)), ...ephemeral].filter(
    (item) => item.role !== "init" || !isThrough(pod, item, observed),
  );
}

/** How many of the containers, in their order, have begun or may begin. */
function countInTurn(pod: Pod, all: readonly PodContainer[], observed: PodObservation): number {
  const isInitialized = hasInitialized(all, observed);
  for (const [at, item] of all.entries()) {
    const seen = observed.containers.get(item.container.name);
    if (item.role === "main") {
      if (seen?.hookPending || awaitsHook(item, seen)) return at + 1;
    } else if (!isInitialized) {
      const isDone = item.role === "init" ? isThrough(pod, item, observed) : isStarted(seen);
      // A sidecar that had its turn keeps nobody waiting while it starts again.
      if (!isDone && !hasBegun(all.slice(at + 1), observed)) return at + 1;
    }
  }
  return all.length;
}

/** The container is about to start, and those after it must not before its postStart hook ran. */
function awaitsHook({ container }: PodContainer, seen?: ContainerObservation): boolean {
  if (!container.lifecycle?.postStart || seen?.failure || seen?.imageFailure) return false;
  return !seen?.current || seen.isOfLostSandbox === true;
}

/** Some main container ran in this sandbox. */
function hasInitialized(all: readonly PodContainer[], observed: PodObservation): boolean {
  return all.some(({ container, role }) => {
    const seen = observed.containers.get(container.name);
    return role === "main" && seen?.current !== undefined && !seen.isOfLostSandbox;
  });
}

/** An init container succeeded, or one after it has begun, whatever is left of it itself. */
function isThrough(pod: Pod, item: PodContainer, observed: PodObservation): boolean {
  const all = containersOf(pod);
  const seen = observed.containers.get(item.container.name);
  if (hasInitialized(all, observed)) return true;
  if (seen?.current) return containerFate(pod, item, seen) === "succeeded";
  const at = all.findIndex(({ container }) => container.name === item.container.name);
  return hasBegun(all.slice(at + 1), observed);
}

/** One of the containers, debuggers aside, ran in this sandbox. */
function hasBegun(containers: readonly PodContainer[], observed: PodObservation): boolean {
  return containers.some(({ container, role }) => {
    const seen = observed.containers.get(container.name);
    return role !== "ephemeral" && seen?.current !== undefined && !seen.isOfLostSandbox;
  });
}

function planContainer(planning: Planning, item: PodContainer): void {
  const { pod, observed, nowMs } = planning;
  const { name } = item.container;
  const seen = observed.containers.get(name);
  const fate = containerFate(pod, item, seen);
  if (fate === "alive" && seen) return planAlive(planning, { item, seen });
  if (fate === "succeeded" || fate === "failed") return;
  if (fate === "restart") {
    const endedAtMs = seen?.current?.status.finishedAtMs ?? nowMs;
    const restartMs = seen?.isReplaced ? endedAtMs : restartAtMs(seen?.crash, endedAtMs);
    if (nowMs < restartMs) {
      const isFresh = seen?.current?.hookFailed !== undefined;
      if (isFresh && nowMs < endedAtMs + FRESH_FAILURE_MS) {
        wake(planning, endedAtMs + FRESH_FAILURE_MS);
      }
      return wake(planning, restartMs);
    }
  }
  if (observed.busy.has(`start-container/${name}`) || mustWait(planning, seen?.failure)) return;
  if (!seen?.image) {
    if (!mustWait(planning, seen?.imageFailure)) {
      add(planning, { do: "ensure-image", container: name });
    } else if (seen?.imageFailure && !isBackingOff(seen.imageFailure, nowMs)) {
      wake(planning, seen.imageFailure.sinceMs + FRESH_FAILURE_MS);
    }
    return;
  }
  if (!observed.sandbox.ready || !observed.volumes.ready) return;
  // An attempt that a crash cut short has the ID of the next one: it goes first.
  if (seen.stale.length > 0) return;
  add(planning, { do: "start-container", container: name, attempt: nextAttempt(pod, name, seen) });
}

/** Counts on from the runtime's newest record, or from what the API remembers after a reboot. */
function nextAttempt(pod: Pod, name: string, seen: ContainerObservation): number {
  if (seen.current) return seen.current.status.attempt + 1;
  const status = pod.status;
  const stored = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find((entry) => entry.name === name);
  // Without an ID the status has been told since then: its count is that of the next attempt.
  return (stored?.restartCount ?? 0) + (stored?.containerID ? 1 : 0);
}

function planAlive(
  planning: Planning,
  { item, seen }: { item: PodContainer; seen: ContainerObservation },
): void {
  const { name } = item.container;
  const graceMs = seen.health.failed?.graceMs ?? graceOf(planning.pod);
  const why = reasonToStop(planning.pod, item, seen);
  if (why) add(planning, { do: "stop-container", container: name, graceMs, ...why });
}

/** Why a container that runs must not, in a kubelet's words; `replaces` if another one follows. */
function reasonToStop(
  pod: Pod,
  { container, role }: PodContainer,
  { health: { failed }, current }: ContainerObservation,
): { message: string; replaces?: boolean } | undefined {
  const lasts = role === "main" || role === "sidecar";
  const who = `${role === "main" ? "Container" : "Init container"} ${container.name}`;
  const restarts = role === "main" ? ", will be restarted" : "";
  if (lasts && container.image !== current?.status.imageReference) {
    return { message: `${who} definition changed${restarts}`, replaces: true };
  }
  if (failed?.reason === "FailedPostStartHook") return { message: failed.reason };
  if (failed) {
    const suffix = pod.spec?.restartPolicy === "Never" ? "" : restarts;
    return { message: `${who} ${failed.message}${suffix}` };
  }
  if (current?.resources && needsRestart(container, current.resources)) {
    return { message: `${who} resize requires restart`, replaces: true };
  }
  return undefined;
}

/** Containers that need no restart for it get their new limits all at once. */
function planResize(planning: Planning): void {
  const { pod, observed } = planning;
  const due = (pod.spec?.containers ?? []).some((container) => {
    const seen = observed.containers.get(container.name);
    const running = isAlive(seen) ? seen?.current?.resources : undefined;
    if (!running || changedNames(running, container.resources).length === 0) return false;
    return !needsRestart(container, running);
  });
  const wanted = due || (observed.limitsDue && observed.sandbox.ready);
  if (wanted && !mustWait(planning, observed.resizeFailure)) add(planning, { do: "resize" });
}
