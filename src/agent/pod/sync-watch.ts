import type { Clock } from "../../lib/clock.ts";
import type { AgentMetrics } from "../metrics/contract.ts";
import type { PodState } from "./pod-state.ts";
import type { Step } from "./step.ts";

/** A kubelet's words for why it works on a pod. */
type SyncType = "create" | "update" | "sync" | "kill" | "terminated";

const ENDS: ReadonlySet<SyncType> = new Set(["kill", "terminated"]);

/**
 * Measures how long a pod is worked on, each time until all is as it should be. What begins to end
 * the pod, or to take away what is left of it, is another work than the one before.
 */
export class SyncWatch {
  readonly #state: PodState;
  readonly #clock: Clock;
  readonly #metrics: AgentMetrics;
  readonly #seenMs: number;
  #began: { atMs: number; type: SyncType } | undefined;
  #isNew: boolean;

  constructor(state: PodState, { clock, metrics }: { clock: Clock; metrics: AgentMetrics }) {
    this.#state = state;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#seenMs = clock.monotonicMs();
    this.#isNew = !state.pod.status?.startTime;
  }

  /** A step is about to be taken. */
  begin(step: Step): void {
    const type = this.#typeOf(step);
    if (this.#began && (this.#began.type === type || !ENDS.has(type))) return;
    this.rest();
    const atMs = this.#clock.monotonicMs();
    this.#began = { atMs, type };
    if (!this.#isNew) return;
    this.#isNew = false;
    this.#metrics.observe("pod_worker_start_duration_seconds", (atMs - this.#seenMs) / 1000);
  }

  /** Nothing is to be done at present. */
  rest(): void {
    if (!this.#began) return;
    const { atMs, type } = this.#began;
    this.#began = undefined;
    const seconds = (this.#clock.monotonicMs() - atMs) / 1000;
    this.#metrics.observe("pod_worker_duration_seconds", seconds, type);
  }

  #typeOf({ do: what }: Step): SyncType {
    if (what === "release" || what === "delete-object") return "terminated";
    if (this.#state.ending) return "kill";
    if (this.#isNew) return "create";
    return what === "resize" ? "update" : "sync";
  }
}
