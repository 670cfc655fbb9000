import type { Pod } from "../../api/generated/types/core-v1.ts";
import { containerFate } from "./container-fate.ts";
import { restartAtMs } from "./crash-backoff.ts";
import {
  type ContainerObservation,
  type Failure,
  FRESH_FAILURE_MS,
  isAlive,
  isBackingOff,
  isStarted,
  type PodObservation,
  type Preparation,
} from "./observation.ts";
import { containersOf, type PodContainer } from "./pod-containers.ts";
import { containerOutcome, deadlineOf, doomOf, storedOutcome } from "./pod-outcome.ts";
import { changedNames, needsRestart } from "./resize.ts";
import { type Step, stepKey } from "./step.ts";

/** What to do for a pod now, and when to look again even if nothing happens until then. */
export interface PodPlan {
  steps: Step[];
  wakeAtMs?: number;
}

interface Planning {
  readonly pod: Pod;
  readonly observed: PodObservation;
  readonly nowMs: number;
  readonly steps: Step[];
  wakeAtMs: number;
}

const DEFAULT_GRACE_SECONDS = 30;

/** Decides the next steps of a pod. Pure: the same facts give the same steps. */
export function planPod(pod: Pod, observed: PodObservation, nowMs: number): PodPlan {
  const planning: Planning = { pod, observed, nowMs, steps: [], wakeAtMs: Infinity };
  if (mustEnd(planning)) planEnd(planning);
  else planLife(planning);
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

function add(planning: Planning, step: Step): void {
  if (!planning.observed.busy.has(stepKey(step))) planning.steps.push(step);
}

function wake(planning: Planning, atMs: number): void {
  planning.wakeAtMs = Math.min(planning.wakeAtMs, atMs);
}

/** True when a failed attempt still has to wait; then the plan wakes up for it. */
function mustWait(planning: Planning, failure: Failure | undefined): boolean {
  if (!failure || planning.nowMs >= failure.retryAtMs) return false;
  wake(planning, failure.retryAtMs);
  return true;
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
 * them, then all others. A container with a postStart hook holds back those after it.
 */
function containersInTurn(pod: Pod, observed: PodObservation): PodContainer[] {
  const turn: PodContainer[] = [];
  const all = containersOf(pod);
  const initialized = all.some(
    ({ container, role }) => role === "main" && observed.containers.get(container.name)?.current,
  );
  for (const item of all) {
    const seen = observed.containers.get(item.container.name);
    if (item.role === "init") {
      if (initialized || containerFate(pod, item, seen) === "succeeded") continue;
      return [...turn, item];
    }
    turn.push(item);
    if (item.role === "sidecar" && !initialized && !isStarted(seen)) {
      return turn;
    }
    if (item.role === "main" && seen?.hookPending) return turn;
  }
  return turn;
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
    const restartMs = restartAtMs(seen?.crash, endedAtMs);
    if (nowMs < restartMs) return wake(planning, restartMs);
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
  return stored?.containerID ? stored.restartCount + 1 : 0;
}

function planAlive(
  planning: Planning,
  { item, seen }: { item: PodContainer; seen: ContainerObservation },
): void {
  const { container, role } = item;
  const { failed } = seen.health;
  const graceMs = failed?.graceMs ?? graceOf(planning.pod);
  if (failed) {
    const message = `Container ${container.name} ${failed.message}, will be restarted`;
    return add(planning, { do: "stop-container", container: container.name, graceMs, message });
  }
  const running = seen.current?.resources;
  if (running && needsRestart(container, running)) {
    const message = `Container ${container.name} resize requires restart`;
    return add(planning, { do: "stop-container", container: container.name, graceMs, message });
  }
  const changed = container.image !== seen.current?.status.imageReference;
  if (changed && (role === "main" || role === "sidecar")) {
    const message = `Container ${container.name} definition changed, will be restarted`;
    add(planning, { do: "stop-container", container: container.name, graceMs, message });
  }
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

function graceOf(pod: Pod): number {
  return (pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
}

/** Grace that is left to a pod that has to end. */
function remainingGraceMs({ pod, observed, nowMs }: Planning): number {
  const seconds = pod.metadata?.deletionGracePeriodSeconds;
  let wholeMs = graceOf(pod);
  if (pod.metadata?.deletionTimestamp !== undefined && seconds !== undefined) {
    wholeMs = seconds * 1000;
  } else if (observed.gone) wholeMs = 0;
  wholeMs = Math.min(wholeMs, observed.doom?.graceMs ?? wholeMs);
  return Math.max(0, wholeMs - (nowMs - (observed.endingSinceMs ?? nowMs)));
}

function planEnd(planning: Planning): void {
  const { pod, observed } = planning;
  if (!planStops(planning)) return;
  for (const key of observed.busy) {
    // Whatever is being made right now has to exist before it can be given back.
    if (/^(start-container|create-sandbox|prepare-volumes|release)/.test(key)) return;
  }
  if (!observed.released) return add(planning, { do: "release" });
  const deleted = pod.metadata?.deletionTimestamp !== undefined;
  if (deleted && !observed.gone && !observed.deletionConfirmed) {
    add(planning, { do: "delete-object" });
  }
}

/** Stops what runs: first all ordinary containers, then sidecars, last one first. */
function planStops(planning: Planning): boolean {
  const { pod, observed } = planning;
  const alive = containersOf(pod).filter(({ container }) =>
    isAlive(observed.containers.get(container.name)),
  );
  if (alive.length === 0) return true;
  const ordinary = alive.filter(({ role }) => role !== "sidecar");
  const graceMs = remainingGraceMs(planning);
  for (const { container } of ordinary.length > 0 ? ordinary : alive.slice(-1)) {
    const message = `Stopping container ${container.name}`;
    add(planning, { do: "stop-container", container: container.name, graceMs, message });
  }
  return false;
}
