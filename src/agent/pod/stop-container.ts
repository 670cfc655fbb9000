import type { ContainerStatus } from "../runtime/contract.ts";
import { probeTarget } from "./health.ts";
import { runLifecycleHook } from "./lifecycle-hook.ts";
import { fieldPathOf, identityOf, type PodContainer, referenceTo } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { messageOf } from "./pod-failure.ts";
import { containerState, type PodState } from "./pod-state.ts";
import type { ContainerEnd } from "./step.ts";

/** What is left after the signal, however little grace there was. */
const SIGNAL_GRACE_MIN_MS = 2_000;

/** What is to be ended, and how. */
interface Stopping {
  item: PodContainer;
  step: ContainerEnd & { isTold?: boolean };
}

/** Runs the preStop hook, then stops the container and returns how it ended. */
export async function stopContainer(
  state: PodState,
  { item, step }: Stopping,
  parts: PodParts,
): Promise<ContainerStatus | undefined> {
  const { name, image = "" } = item.container;
  const id = containerState(state, name).current?.status.id;
  if (id === undefined) return undefined;
  const startedMs = parts.clock.monotonicMs();
  if (!step.isTold) await preStop(state, { item, step }, parts);
  const leftMs = step.graceMs - (parts.clock.monotonicMs() - startedMs);
  const graceMs = Math.max(SIGNAL_GRACE_MIN_MS, leftMs);
  const signal = parts.images.find(image)?.config.stopSignal;
  return await parts.runtime.stopContainer(id, { graceMs, ...(signal ? { signal } : {}) });
}

/** Tells that a container is to end, and runs its preStop hook. */
export async function preStop(
  state: PodState,
  { item, step }: Stopping,
  parts: PodParts,
): Promise<void> {
  const { container } = item;
  const about = referenceTo(state.pod);
  const fieldPath = fieldPathOf(item);
  const { message, graceMs } = step;
  parts.events.record({ about, type: "Normal", reason: "Killing", message, fieldPath });
  const target = probeTarget(state, item, parts);
  const hook = container.lifecycle?.preStop;
  if (!hook || !target || graceMs <= 0) return;
  try {
    await runLifecycleHook(hook, target, { parts, timeoutMs: graceMs });
  } catch (error) {
    // What a hook says may hold secrets: whoever reads events need not be allowed to read those.
    const failure = { reason: "FailedPreStopHook", message: "PreStopHook failed" };
    parts.events.record({ about, type: "Warning", ...failure, fieldPath });
    const fields = { ...identityOf(state.pod), container: container.name };
    parts.logger.info("a preStop hook failed", { ...fields, error: messageOf(error) });
  }
}
