import type { ResourceRequirements } from "../../api/generated/types/core-v1.ts";
import type { LocalImage } from "../image/contract.ts";
import type { ContainerStatus } from "../runtime/contract.ts";
import type { CrashBackoff } from "./crash-backoff.ts";
import type { ResizeState } from "./resize.ts";

/** Everything that the agent knows about a pod on this node; what `planPod` plans from. */
export interface PodObservation {
  /** When this agent, or an earlier one, accepted the pod: `status.startTime`. */
  acceptedAtMs: number;
  sandbox: Preparation;
  volumes: Preparation;
  /** By container name; a container that was never touched is absent. */
  containers: ReadonlyMap<string, ContainerObservation>;
  /** Keys of steps in progress (`stepKey`). */
  busy: ReadonlySet<string>;
  podIp?: string | undefined;
  /** What is below mounts that ask for it becomes read-only with them; see `read-only-mounts.ts`. */
  makesReadOnlyBelow?: boolean;
  /** Of a pod that has to end: since when it has that much time, and how often it got less. */
  ending?: { sinceMs: number; graceMs: number; round: number } | undefined;
  /** Others have to make room first: nothing of the pod is begun. */
  held?: boolean;
  /** The API no longer has the pod. */
  gone: boolean;
  /** Sandbox, network and volumes are given back for good. */
  released: boolean;
  /** The API was asked to delete the pod for good; finalizers may still keep it. */
  deletionConfirmed: boolean;
  /** Where a change of the containers' resources stands. */
  resize?: ResizeState | undefined;
  /** The limits of the whole pod are not what they should be. */
  limitsDue?: boolean;
  /** Of applying a change of resources. */
  resizeFailure?: Failure | undefined;
  /** Set by the node: the pod has failed, whatever its containers do. */
  doom?: Doom | undefined;
}

/** Why a pod has to end as "Failed". */
export interface Doom {
  reason: string;
  message: string;
  /** Less than the pod's own grace, when the node cannot wait. */
  graceMs?: number;
  /** The node never took the pod. */
  isRefused?: boolean;
  /** Message of a condition by which controllers know that the pod is not at fault. */
  disruption?: string;
}

/** Something that is made once per pod and may fail. */
export interface Preparation {
  ready: boolean;
  failure?: Failure | undefined;
}

/** For so long a failure is told as such, then as waiting for the next attempt. */
export const FRESH_FAILURE_MS = 1_000;

/** Whether the news is that the agent waits, no longer that it failed. */
export function isBackingOff(failure: Failure, nowMs: number): boolean {
  return nowMs - failure.sinceMs >= FRESH_FAILURE_MS;
}

/** Something went wrong and will be tried again. */
export interface Failure {
  /** Reason of the waiting container, such as "ErrImagePull". */
  reason: string;
  message: string;
  /** Failures in a row. */
  attempts: number;
  /** When the last one happened. */
  sinceMs: number;
  retryAtMs: number;
}

/** One container of the pod. */
export interface ContainerObservation {
  /** The newest attempt. */
  current?: ContainerRecord | undefined;
  /** The attempt before it, kept for `lastState` and `logs --previous`. */
  previous?: ContainerRecord | undefined;
  /** IDs of older attempts that the runtime still holds. */
  stale: readonly string[];
  image?: LocalImage | undefined;
  /** What `image` was found under: a container may get another one. */
  imageReference?: string | undefined;
  imageFailure?: Failure | undefined;
  /** The image was just pulled, which has been told. */
  pulled?: boolean;
  /** Of creating or configuring the next attempt. */
  failure?: Failure | undefined;
  crash?: CrashBackoff | undefined;
  health: Health;
  /** The postStart hook of the current attempt has not ended yet. */
  hookPending: boolean;
  /** The preStop hook of the current attempt has run. */
  preStopped?: boolean;
  /** The current attempt was ended for another one, which the restart policy does not forbid. */
  isReplaced?: boolean;
  /** The current attempt ran in a sandbox that is gone, as after a reboot. */
  isOfLostSandbox?: boolean;
}

/** What probes and hooks say about the current attempt. */
export interface Health {
  started: boolean;
  ready: boolean;
  /** A probe or hook wants it restarted. */
  failed?: { reason: string; message: string; graceMs?: number } | undefined;
}

/** One attempt at running a container. */
export interface ContainerRecord {
  status: ContainerStatus;
  /** What the container left at its termination message path. */
  terminationMessage?: string | undefined;
  /** What its limits were made from. */
  resources?: ResourceRequirements | undefined;
  /** It never ran: the runtime's message says why. */
  cannotRun?: string | undefined;
  /** It was ended because its postStart hook failed, which says why. */
  hookFailed?: string | undefined;
}

/** Health of a container that no probe has judged yet. */
export const UNKNOWN_HEALTH: Health = { started: false, ready: false };

/** Whether the current attempt is through its startup probe and its postStart hook. */
export function isStarted(container: ContainerObservation | undefined): boolean {
  return isAlive(container) && container?.health.started === true && !container.hookPending;
}

/** Whether a container's process exists, or may exist any moment. */
export function isAlive(container: ContainerObservation | undefined): boolean {
  return container?.current !== undefined && container.current.status.state !== "exited";
}
