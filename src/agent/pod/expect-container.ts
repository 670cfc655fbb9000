import { restartAtMs } from "./crash-backoff.ts";
import { containersOf, identityOf, type PodContainer } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { makeLogs } from "./pod-logs.ts";
import { qosClassOf } from "./pod-resources.ts";
import { logPathOf, type PodState } from "./pod-state.ts";
import { containerIdFor } from "./start-container.ts";

/** While network and volumes are made, the monitor of a new pod's first container can start. */
export function expectFirst(state: PodState, parts: PodParts): void {
  const [first] = containersOf(state.pod);
  const isNew = !state.pod.status?.startTime && !state.sandbox.failure;
  if (first && isNew) expect(state, { item: first, attempt: 0 }, parts);
}

/**
 * While a container is being stopped that runs again as soon as it has ended, the monitor of its
 * next attempt can start. One that may have to wait is expected by nobody.
 */
export function expectRestart(state: PodState, item: PodContainer, parts: PodParts): void {
  const { container, role } = item;
  const seen = state.containers.get(container.name);
  const status = seen?.current?.status;
  // Of one that has ended, the next attempt may be under way.
  if (status?.state !== "running" || state.ending) return;
  if (status.imageReference !== container.image) return;
  const restarts = role === "main" && (state.pod.spec?.restartPolicy ?? "Always") === "Always";
  if (!restarts && role !== "sidecar") return;
  const nowMs = parts.clock.now();
  if (restartAtMs(seen?.crash, nowMs) > nowMs) return;
  expect(state, { item, attempt: status.attempt + 1 }, parts);
}

function expect(
  state: PodState,
  { item: { container }, attempt }: { item: PodContainer; attempt: number },
  parts: PodParts,
): void {
  const { name, stdin, tty } = container;
  if (state.pod.spec?.runtimeClassName || stdin || tty) return;
  if (!state.containers.get(name)?.image) return;
  const { uid } = identityOf(state.pod);
  try {
    makeLogs(state, parts);
  } catch {
    return; // The start meets the same, and tells of it.
  }
  parts.runtime.expectContainer({
    id: containerIdFor(uid, { name, attempt }),
    sandboxId: uid,
    qosClass: qosClassOf(state.pod),
    logPath: logPathOf(state.logDirectory, name, attempt),
  });
}
