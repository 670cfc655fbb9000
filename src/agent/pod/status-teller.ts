import type { Clock } from "../../lib/clock.ts";
import type { AgentMetrics } from "../metrics/contract.ts";
import { containersOf } from "./pod-containers.ts";
import type { PodState } from "./pod-state.ts";
import { type AgentPodStatus, isUneventful } from "./pod-status.ts";
import { watchStart } from "./start-watch.ts";
import type { StatusWriter } from "./status-writer.ts";

/** Steps of a start that nobody waits for are told together. */
const CALM_MS = 100;
/** As long as none has led anywhere, mostly with the end of the start. */
const UNEVENTFUL_MS = 1_000;
/**
 * As long as a kubelet takes to notice: a container that is back by then was never away, and who
 * has just read the pod can still write it.
 */
const REPLACED_MS = 1_000;

/** Decides how soon the API has to know of a pod's status. */
export interface StatusTeller extends Disposable {
  /** What was said last. */
  readonly told: AgentPodStatus | undefined;
  tell(status: AgentPodStatus): void;
  /** Resolves when the last status is in the API, or cannot be any more. */
  settled(): Promise<void>;
}

/** Owns the writer. */
export function createStatusTeller(
  state: PodState,
  { writer, clock, metrics }: { writer: StatusWriter; clock: Clock; metrics: AgentMetrics },
): StatusTeller {
  let told: AgentPodStatus | undefined;
  const start = watchStart(state, { clock, metrics });
  /** Until then (monotonic) a container of another image has time to take over. */
  let untoldUntilMs: number | undefined;

  /** What is left of the time in which a container's replacement is not told. */
  const replacedForMs = () => {
    const nowMs = clock.monotonicMs();
    if (isReplacing(state)) untoldUntilMs ??= nowMs + REPLACED_MS;
    else if (nowMs >= (untoldUntilMs ?? 0)) untoldUntilMs = undefined;
    return Math.max(0, (untoldUntilMs ?? 0) - nowMs);
  };
  const withinMs = (status: AgentPodStatus) => {
    if (status.phase !== "Pending") return replacedForMs();
    return isUneventful(status) ? UNEVENTFUL_MS : CALM_MS;
  };
  return {
    get told() {
      return told;
    },
    tell(status) {
      told = status;
      if (state.gone) return;
      start.saw(status);
      writer.publish(state.pod, status, withinMs(status));
    },
    settled: () => writer.settled(),
    [Symbol.dispose]: () => writer[Symbol.dispose](),
  };
}

/** A container gives way to one of another image that is about to start. */
function isReplacing(state: PodState): boolean {
  if (state.ending) return false;
  return containersOf(state.pod).some(({ container, role }) => {
    const current = state.containers.get(container.name)?.current?.status;
    const stays = role === "main" || role === "sidecar";
    return stays && current?.state === "exited" && current.imageReference !== container.image;
  });
}
