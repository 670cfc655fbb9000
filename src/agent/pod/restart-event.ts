import { containerFate } from "./container-fate.ts";
import { restartAtMs } from "./crash-backoff.ts";
import { fieldPathOf, identityOf, type PodContainer, referenceTo } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { mustEnd } from "./pod-plan.ts";
import { containerState, type PodState } from "./pod-state.ts";

/** Tells in an event that a container, which has just ended, waits before it runs again. */
export function sayBackOff(state: PodState, item: PodContainer, parts: PodParts): void {
  const { pod } = state;
  const { name } = item.container;
  const seen = containerState(state, name);
  const nowMs = parts.clock.now();
  if (mustEnd({ pod, observed: state, nowMs })) return;
  if (containerFate(pod, item, seen) !== "restart") return;
  if (restartAtMs(seen.crash, seen.current?.status.finishedAtMs ?? nowMs) <= nowMs) return;
  const owner = identityOf(pod);
  const where = `${owner.name}_${owner.namespace}(${owner.uid})`;
  parts.events.record({
    about: referenceTo(pod),
    type: "Warning",
    reason: "BackOff",
    message: `Back-off restarting failed container ${name} in pod ${where}`,
    fieldPath: fieldPathOf(item),
  });
}
