import type {
  Container,
  ContainerState,
  ContainerStateTerminated,
  ContainerStateWaiting,
  ContainerStatus,
  Pod,
} from "../../api/generated/types/core-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import { containerFate } from "./container-fate.ts";
import { restartAtMs } from "./crash-backoff.ts";
import { UNKNOWN_END } from "./missing-ends.ts";
import {
  type ContainerObservation,
  type ContainerRecord,
  type Failure,
  FRESH_FAILURE_MS,
  isBackingOff,
  isStarted,
  type PodObservation,
} from "./observation.ts";
import { identityOf, type PodContainer } from "./pod-containers.ts";
import { mustEnd } from "./pod-plan.ts";
import { toldRecursion } from "./read-only-mounts.ts";
import { toldResources } from "./resize.ts";

/** Everything that a container's status is told from. */
export interface ContainerStatusInput {
  pod: Pod;
  observed: PodObservation;
  nowMs: number;
  /** Of what a container that ended says for itself. */
  messageMaxBytes: number;
  /** What the API says about this container now. */
  stored: ContainerStatus | undefined;
}

/** Scheme of `containerID`. */
export function containerIdOf(id: string): string {
  return `nephos://${id}`;
}

/** Builds the entry of one container in the pod's status. Pure. */
export function containerStatus(item: PodContainer, input: ContainerStatusInput): ContainerStatus {
  const { container } = item;
  const seen = input.observed.containers.get(container.name);
  if (!seen?.current) return statusWithoutRecord(item, seen, input);
  const { status } = seen.current;
  const state = stateOf(item, seen, input);
  const ready =
    item.role === "init" || item.role === "ephemeral"
      ? state.terminated?.exitCode === 0 && item.role === "init"
      : isStarted(seen) && seen.health.ready;
  return {
    name: container.name,
    state,
    lastState: lastStateOf(seen, { state, input }),
    ready,
    restartCount: status.attempt,
    image: status.imageReference,
    imageID: status.imageDigest ?? status.imageId,
    containerID: containerIdOf(status.id),
    ...mountsOf(container, input.observed),
    ...(item.role === "main" ? resourcesOf(item, seen) : {}),
    started: item.role === "init" ? state.running !== undefined : isStarted(seen),
  };
}

function resourcesOf({ container }: PodContainer, seen: ContainerObservation) {
  const running = seen.current?.status.state === "exited" ? undefined : seen.current?.resources;
  return toldResources(container.resources, running);
}

function stateOf(
  item: PodContainer,
  seen: ContainerObservation,
  input: ContainerStatusInput,
): ContainerState {
  const record = seen.current;
  if (!record) return {};
  const { status } = record;
  // As on a kubelet, a container has not come to run before its postStart hook has.
  const awaitsHook = seen.hookPending && !mustEnd(input);
  if (status.state === "running" && awaitsHook) return { waiting: onItsWay(item, input) };
  if (status.state === "running") {
    return { running: { startedAt: formatTime(status.startedAtMs ?? status.createdAtMs) } };
  }
  if (status.state === "created") return { waiting: { reason: "ContainerCreating" } };
  const restarts = containerFate(input.pod, item, seen) === "restart" && !mustEnd(input);
  const waiting = restarts ? waitingToRestart(item, { seen, input }) : undefined;
  return waiting ? { waiting } : { terminated: terminatedState(record, input) };
}

function onItsWay({ role }: PodContainer, { pod }: ContainerStatusInput): ContainerStateWaiting {
  const isInitializing = (pod.spec?.initContainers ?? []).length > 0 && role !== "ephemeral";
  return { reason: isInitializing ? "PodInitializing" : "ContainerCreating" };
}

/** Undefined while nothing keeps the container from running again at once. */
function waitingToRestart(
  { container }: PodContainer,
  { seen, input }: { seen: ContainerObservation; input: ContainerStatusInput },
): ContainerStateWaiting | undefined {
  const { pod, nowMs } = input;
  const { current, crash, failure, imageFailure } = seen;
  const blocked = failure ?? imageFailure;
  if (blocked) return failureState(blocked, { container, nowMs });
  if (!current) return undefined;
  const { finishedAtMs = nowMs } = current.status;
  if (current.hookFailed !== undefined && nowMs - finishedAtMs < FRESH_FAILURE_MS) {
    return { reason: "PostStartHookError", message: current.hookFailed };
  }
  if (crash && nowMs < restartAtMs(crash, finishedAtMs)) {
    const { name, namespace, uid } = identityOf(pod);
    const wait = formatDelay(crash.delayMs);
    const who = `container=${current.status.name} pod=${name}_${namespace}(${uid})`;
    const message = `back-off ${wait} restarting failed ${who}`;
    return { reason: "CrashLoopBackOff", message };
  }
  if (current.cannotRun === undefined) return undefined;
  return { reason: "RunContainerError", message: current.cannotRun };
}

function failureState(
  failure: Failure,
  { container, nowMs }: { container: Container; nowMs: number },
): ContainerStateWaiting {
  const { reason, message } = failure;
  if (reason !== "ErrImagePull" || !isBackingOff(failure, nowMs)) return { reason, message };
  const what = `Back-off pulling image "${container.image}"`;
  return { reason: "ImagePullBackOff", message: `${what}: ${reason}: ${message}` };
}

function formatDelay(delayMs: number): string {
  const seconds = Math.round(delayMs / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

/** What a container that ended leaves behind. */
function terminatedState(
  record: ContainerRecord,
  { messageMaxBytes }: ContainerStatusInput,
): ContainerStateTerminated {
  const { status, terminationMessage, cannotRun } = record;
  const exitCode = status.exitCode ?? 0;
  const whole = cannotRun ?? status.lost ?? terminationMessage ?? "";
  const message = Buffer.from(whole).subarray(0, messageMaxBytes).toString();
  return {
    exitCode,
    ...(status.signal ? { signal: status.signal } : {}),
    reason: reasonOf(record, exitCode),
    ...(message ? { message } : {}),
    startedAt: formatTime(status.startedAtMs ?? status.createdAtMs),
    finishedAt: formatTime(status.finishedAtMs ?? status.createdAtMs),
    containerID: containerIdOf(status.id),
  };
}

function reasonOf({ status, cannotRun }: ContainerRecord, exitCode: number): string {
  if (cannotRun !== undefined) return "ContainerCannotRun";
  if (status.oomKilled) return "OOMKilled";
  if (status.lost !== undefined) return "ContainerStatusUnknown";
  return exitCode === 0 ? "Completed" : "Error";
}

function lastStateOf(
  seen: ContainerObservation,
  { state, input }: { state: ContainerState; input: ContainerStatusInput },
): ContainerState {
  if (state.waiting && seen.current?.status.state === "exited") {
    return { terminated: terminatedState(seen.current, input) };
  }
  return seen.previous ? { terminated: terminatedState(seen.previous, input) } : {};
}

/** The runtime knows nothing (yet): what is missing, or what the API remembers. */
function statusWithoutRecord(
  item: PodContainer,
  seen: ContainerObservation | undefined,
  input: ContainerStatusInput,
): ContainerStatus {
  const { container, role } = item;
  const { stored } = input;
  const ends = mustEnd(input);
  if (ends && stored?.containerID) {
    return { ...stored, ready: role === "init" && stored.ready, started: false, ...lost(stored) };
  }
  const failure = seen?.failure ?? seen?.imageFailure;
  const waiting = failure
    ? failureState(failure, { container, nowMs: input.nowMs })
    : onItsWay(item, input);
  const isLost = stored?.state?.running !== undefined;
  const remembered = isLost ? lost(stored, LOST_ALIVE).state : stored?.lastState;
  return {
    name: container.name,
    state: { waiting },
    lastState: remembered ?? {},
    ready: false,
    restartCount: (stored?.restartCount ?? 0) + (isLost ? 1 : 0),
    image: container.image ?? "",
    imageID: "",
    ...mountsOf(container, input.observed),
    started: false,
  };
}

/** What the container mounts, and how. */
function mountsOf(
  { volumeMounts = [] }: Container,
  { makesReadOnlyBelow = false }: PodObservation,
): Pick<ContainerStatus, "volumeMounts"> {
  if (volumeMounts.length === 0) return {};
  return {
    volumeMounts: volumeMounts.map((mount) => ({
      name: mount.name,
      mountPath: mount.mountPath,
      ...toldRecursion(mount, makesReadOnlyBelow),
    })),
  };
}

/** With the two spaces that a kubelet prints. */
const LOST_ALIVE =
  "The container could not be located when the pod was deleted.  The container used to be Running";

/** A container that ran when the node lost track of it, for example by a reboot. */
function lost(
  stored: ContainerStatus,
  message: string = UNKNOWN_END.message,
): { state?: ContainerState } {
  if (!stored.state?.running) return stored.state ? { state: stored.state } : {};
  const terminated: ContainerStateTerminated = {
    ...UNKNOWN_END,
    message,
    ...(stored.state.running.startedAt ? { startedAt: stored.state.running.startedAt } : {}),
    ...(stored.containerID ? { containerID: stored.containerID } : {}),
  };
  return { state: { terminated } };
}
