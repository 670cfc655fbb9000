import type { Pod } from "../../api/generated/types/core-v1.ts";
import { isAlive, type PodObservation } from "./observation.ts";
import { add, graceOf, type Planning, wake } from "./planning.ts";
import { containersOf } from "./pod-containers.ts";
import { stepKey } from "./step.ts";

/** Whoever asks for less than this, a container gets it: its hook has time to begin. */
const GRACE_MIN_MS = 1_000;

/**
 * All the time that a pod gets to end. A pod that the API has no more, without a word of when it
 * should end, gets the least.
 */
export function endingGraceMs(pod: Pod, observed: Pick<PodObservation, "gone" | "doom">): number {
  const seconds = pod.metadata?.deletionGracePeriodSeconds;
  let wholeMs = graceOf(pod);
  if (pod.metadata?.deletionTimestamp !== undefined && seconds !== undefined) {
    wholeMs = seconds * 1000;
  } else if (observed.gone) wholeMs = 0;
  return Math.max(GRACE_MIN_MS, Math.min(wholeMs, observed.doom?.graceMs ?? wholeMs));
}

/** Steps of a pod that has to end. */
export function planEnd(planning: Planning): void {
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

/**
 * Stops what runs. Ordinary containers end at once. Of sidecars the preStop hooks run meanwhile;
 * they end once the main containers have, one after another, the last one first, or all together
 * when the grace is over. True when nothing runs.
 */
function planStops(planning: Planning): boolean {
  const { pod, observed, nowMs } = planning;
  const alive = containersOf(pod).filter(({ container }) =>
    isAlive(observed.containers.get(container.name)),
  );
  const wholeMs = endingGraceMs(pod, observed);
  const { sinceMs, round } = observed.ending ?? { sinceMs: nowMs, round: 0 };
  const graceMs = Math.max(0, sinceMs + wholeMs - nowMs);
  const sidecars = alive.filter(({ role }) => role === "sidecar");
  const mainsRun = alive.some(({ role }) => role === "main");
  for (const { container, role } of alive) {
    const { name } = container;
    const message = `Stopping container ${name}`;
    const isLast = container === sidecars.at(-1)?.container;
    const hasTurn = role !== "sidecar" || graceMs === 0 || (!mainsRun && isLast);
    const isTold = observed.containers.get(name)?.preStopped === true;
    const stop = { container: name, graceMs, message, ...(round > 0 && { round }) };
    const preStop = { do: "pre-stop", ...stop } as const;
    if (!hasTurn) {
      if (!isTold) add(planning, preStop);
      wake(planning, sinceMs + wholeMs);
    } else if (graceMs === 0 || !observed.busy.has(stepKey(preStop))) {
      add(planning, { do: "stop-container", ...stop, ...(isTold && { isTold }) });
    }
  }
  return alive.length === 0;
}
