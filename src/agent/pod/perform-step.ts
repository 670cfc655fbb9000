import { isConflict, isNotFound } from "../../api/errors.ts";
import { PODS } from "../../api/generated/resources.ts";
import type { Semaphore } from "../../lib/semaphore.ts";
import { RuntimeError } from "../runtime/contract.ts";
import { isStaticPod } from "../static-pod/contract.ts";
import { expectRestart } from "./expect-container.ts";
import { ensureImage } from "./image-step.ts";
import { removeLog } from "./log-rotation.ts";
import { containersOf, identityOf, type PodContainer } from "./pod-containers.ts";
import type { PodParts, WorkerHooks } from "./pod-context.ts";
import { unlinkLog } from "./pod-logs.ts";
import { mustEnd } from "./pod-plan.ts";
import { createSandbox, prepareVolumes, releasePod } from "./pod-sandbox.ts";
import { containerState, type PodState } from "./pod-state.ts";
import { resizePod } from "./resize-step.ts";
import { startContainer } from "./start-container.ts";
import type { Step } from "./step.ts";
import { preStop, stopContainer } from "./stop-container.ts";
import { hasFarVolumes, settleFarVolumes } from "./volume-paths.ts";

/** What the steps of one pod are performed with. */
export interface Performing {
  state: PodState;
  parts: PodParts;
  /** Bounds how many containers of the node are being created at once. */
  startSlots: Semaphore;
  hooks: WorkerHooks;
  /** A pod that has to end waits for no image. */
  endOfPulls: AbortSignal;
  /** Resolves when the last status is in the API, or cannot be any more. */
  settled(): Promise<void>;
  /** Nothing of the pod is left on the node, and the API knows how it ended. */
  onReleased(): void;
}

const EXIT_UNKNOWN = 137;

/** Expected failures are kept in the state; what is thrown is to be tried again. */
export async function performStep(step: Step, performing: Performing): Promise<void> {
  const { state, parts } = performing;
  switch (step.do) {
    case "prepare-volumes":
      return prepareVolumes(state, parts);
    case "create-sandbox":
      return createSandbox(state, parts);
    case "release":
      await releasePod(state, parts);
      await performing.settled();
      return performing.onReleased();
    case "resize":
      return resizePod(state, parts);
    case "delete-object":
      return deleteObject(performing);
    case "remove-container":
      return removeOld(step, performing);
    case "ensure-image":
      return ensureImage(state, required(state, step.container), {
        parts,
        signal: performing.endOfPulls,
      });
    case "start-container":
      return start(step, performing);
    case "pre-stop":
      await preStop(state, { item: required(state, step.container), step }, parts);
      containerState(state, step.container).preStopped = true;
      return;
    case "stop-container":
      return stop(step, performing);
    default:
      throw new TypeError("Cannot perform an unknown step");
  }
}

function required({ pod }: PodState, name: string): PodContainer {
  const item = containersOf(pod).find(({ container }) => container.name === name);
  if (!item) throw new TypeError(`Cannot find container "${name}" in its pod`);
  return item;
}

async function start(
  { container, attempt }: Extract<Step, { do: "start-container" }>,
  { state, parts, hooks, startSlots }: Performing,
): Promise<void> {
  const item = required(state, container);
  // Whether a volume hangs is found out before others have to wait for this start.
  if (hasFarVolumes(state, item)) await settleFarVolumes(state, item, parts);
  using _slot = await startSlots.acquire();
  // While it waited for its turn, the pod may have been deleted.
  if (mustEnd({ pod: state.pod, observed: state, nowMs: parts.clock.now() })) return;
  // While the OCI runtime is at work, this thread has nothing to do, unless for other pods.
  const creating = () => {
    const isAlone = startSlots.wanted === 1;
    parts.network.prepareNext(isAlone);
    parts.runtime.prepareNext(isAlone);
  };
  await startContainer(state, { item, attempt }, { parts, hooks, creating });
}

async function stop(
  step: Extract<Step, { do: "stop-container" }>,
  { state, parts, hooks }: Performing,
): Promise<void> {
  const item = required(state, step.container);
  const seen = containerState(state, step.container);
  if (step.replaces) seen.isReplaced = true;
  try {
    const ending = stopContainer(state, { item, step }, parts);
    // While the process ends, this thread has nothing to do.
    setImmediate(() => expectRestart(state, item, parts));
    const ended = await ending;
    if (ended?.state === "exited") hooks.exited(ended);
  } catch (error) {
    const status = seen.current?.status;
    if (!(error instanceof RuntimeError) || error.code !== "not-found" || !status) throw error;
    // The runtime lost it, so it is as dead as it can be; how it ended, nobody knows.
    const finishedAtMs = parts.clock.now();
    hooks.exited({ ...status, state: "exited", exitCode: EXIT_UNKNOWN, finishedAtMs });
  }
}

async function removeOld(
  { container, id }: Extract<Step, { do: "remove-container" }>,
  { state, parts }: Performing,
): Promise<void> {
  const log = parts.runtime.status(id)?.logPath;
  await parts.runtime.removeContainer(id);
  // Nobody can ask for the output of so old an attempt.
  if (log) removeLog(log);
  unlinkLog(state, { container, id }, parts);
  const { stale } = containerState(state, container);
  const at = stale.indexOf(id);
  if (at >= 0) stale.splice(at, 1);
}

async function deleteObject({ state, parts, settled }: Performing): Promise<void> {
  if (isStaticPod(state.pod)) {
    state.gone = true;
    return;
  }
  await settled();
  const { name, namespace, uid } = identityOf(state.pod);
  try {
    await parts.client
      .for(PODS)
      .delete({ name, namespace }, { gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
  state.deletionConfirmed = true;
}
