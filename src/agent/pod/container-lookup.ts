import { notFound, StatusError } from "../../api/errors.ts";
import { PODS } from "../../api/generated/resources.ts";
import type { ContainerStatus } from "../../api/generated/types/core-v1.ts";
import type { ContainerTarget, PodTarget } from "../stream/contract.ts";
import { containersOf } from "./pod-containers.ts";
import type { PodManager } from "./pod-manager.ts";
import { logPathOf } from "./pod-state.ts";
import type { PodWorker } from "./pod-worker.ts";

/** The worker of a pod of this node. @throws StatusError NotFound */
export function requirePod(manager: PodManager, target: PodTarget): PodWorker {
  const worker = manager.find(target);
  if (!worker) throw notFound(PODS, target.name);
  return worker;
}

/** The name of the container that is meant; "" means the only, or first, one. */
function containerName(worker: PodWorker, target: ContainerTarget): string {
  const all = containersOf(worker.state.pod);
  const wanted = target.container || all.find(({ role }) => role === "main")?.container.name;
  const found = all.find(({ container }) => container.name === wanted);
  if (found) return found.container.name;
  const message = `container ${target.container} is not valid for pod ${target.name}`;
  throw new StatusError("BadRequest", message);
}

/** ID of a container that runs. @throws StatusError NotFound, BadRequest when it does not run */
export function requireRunning(manager: PodManager, target: ContainerTarget): string {
  const worker = requirePod(manager, target);
  const name = containerName(worker, target);
  const status = worker.state.containers.get(name)?.current?.status;
  if (status?.state === "running") return status.id;
  throw notRunning(manager, target);
}

/** The refusal of what only a container that runs can do. @throws StatusError NotFound */
export function notRunning(manager: PodManager, target: ContainerTarget): StatusError {
  const name = containerName(requirePod(manager, target), target);
  const message = `container "${name}" in pod "${target.name}" is not running`;
  return new StatusError("BadRequest", message);
}

/** A log file, and whether its container still writes to it. */
export interface LogSource {
  path: string;
  isLive: () => boolean;
  /** Calls back when the container has ended. */
  onEnd: (handler: () => void) => Disposable;
}

/**
 * The log of the newest attempt, or with `previous` of the last that ended before the one that the
 * status tells of. Works for containers that the runtime has forgotten.
 * @throws StatusError NotFound, BadRequest when there is no such attempt
 */
export function requireLog(
  manager: PodManager,
  target: ContainerTarget,
  options: { previous: boolean },
): LogSource {
  const worker = requirePod(manager, target);
  const name = containerName(worker, target);
  const { state } = worker;
  const attempt =
    state.containers.get(name)?.current?.status.attempt ?? storedAttempt(worker, name);
  const before = attempt === undefined || isToStart(worker, name) ? attempt : attempt - 1;
  const wanted = options.previous ? before : attempt;
  if (wanted === undefined || wanted < 0) {
    const message = options.previous
      ? `previous terminated container "${name}" in pod "${target.name}" not found`
      : `container "${name}" in pod "${target.name}" is waiting to start: ${waitingReason(worker, name)}`;
    throw new StatusError("BadRequest", message);
  }
  const isLive = () => {
    const current = state.containers.get(name)?.current?.status;
    return current?.attempt === wanted && current.state === "running";
  };
  return {
    path: logPathOf(state.logDirectory, name, wanted),
    isLive,
    onEnd: (handler) => worker.onExit((status) => status.name === name && handler()),
  };
}

function statusesOf(worker: PodWorker): ContainerStatus[] {
  const { status } = worker.view();
  return [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
}

/** Its newest attempt has ended, and the next one is told as one that waits. */
function isToStart(worker: PodWorker, name: string): boolean {
  const { state, lastState } = statusesOf(worker).find((entry) => entry.name === name) ?? {};
  return state?.waiting !== undefined && lastState?.terminated !== undefined;
}

function storedAttempt(worker: PodWorker, name: string): number | undefined {
  const status = statusesOf(worker).find((entry) => entry.name === name);
  return status?.containerID ? status.restartCount : undefined;
}

function waitingReason(worker: PodWorker, name: string): string {
  const status = statusesOf(worker).find((entry) => entry.name === name);
  return status?.state?.waiting?.reason ?? "ContainerCreating";
}
