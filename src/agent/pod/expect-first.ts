import { containersOf, identityOf } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { qosClassOf } from "./pod-resources.ts";
import { logPathOf, type PodState } from "./pod-state.ts";
import { containerIdFor } from "./start-container.ts";

/** While network and volumes are made, the monitor of a new pod's first container can start. */
export function expectFirst(state: PodState, { runtime }: PodParts): void {
  const [first] = containersOf(state.pod);
  const isNew = !state.pod.status?.startTime && !state.sandbox.failure;
  if (!first || !isNew || state.pod.spec?.runtimeClassName) return;
  const { name, stdin, tty } = first.container;
  if (stdin || tty || !state.containers.get(name)?.image) return;
  const { uid } = identityOf(state.pod);
  runtime.expectContainer({
    id: containerIdFor(uid, { name, attempt: 0 }),
    sandboxId: uid,
    qosClass: qosClassOf(state.pod),
    logPath: logPathOf(state.logDirectory, name, 0),
  });
}
