import type { ContainerStatus } from "../runtime/contract.ts";
import { referenceTo, fieldPathOf, type PodContainer } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { probeTarget } from "./health.ts";
import { messageOf } from "./pod-failure.ts";
import { containerState, type PodState } from "./pod-state.ts";
import type { Step } from "./step.ts";

/** What is left for the signal when the preStop hook used up the grace. */
const SIGNAL_GRACE_MIN_MS = 2_000;

/** Runs the preStop hook, then stops the container and returns how it ended. */
export async function stopContainer(
  state: PodState,
  { item, step }: { item: PodContainer; step: Extract<Step, { do: "stop-container" }> },
  parts: PodParts,
): Promise<ContainerStatus | undefined> {
  const { container } = item;
  const seen = containerState(state, container.name);
  const id = seen.current?.status.id;
  if (id === undefined) return undefined;
  const about = referenceTo(state.pod);
  const fieldPath = fieldPathOf(item);
  const { message } = step;
  parts.events.record({ about, type: "Normal", reason: "Killing", message, fieldPath });
  let { graceMs } = step;
  const target = probeTarget(state, item, parts);
  const hook = container.lifecycle?.preStop;
  if (hook && target && graceMs > 0) {
    const startedMs = parts.clock.monotonicMs();
    try {
      await parts.prober.runHook(hook, target, { timeoutMs: graceMs });
    } catch (error) {
      const reason = "FailedPreStopHook";
      const text = `PreStopHook failed: ${messageOf(error)}`;
      parts.events.record({ about, type: "Warning", reason, message: text, fieldPath });
    }
    const leftMs = graceMs - (parts.clock.monotonicMs() - startedMs);
    graceMs = Math.max(SIGNAL_GRACE_MIN_MS, leftMs);
  }
  const signal = parts.images.find(container.image ?? "")?.config.stopSignal;
  return await parts.runtime.stopContainer(id, { graceMs, ...(signal ? { signal } : {}) });
}
