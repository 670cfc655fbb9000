import path from "node:path";
import type { ConfigMap, Pod, Secret } from "../../api/generated/types/core-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import type { FollowedObject } from "../followed-object.ts";
import type { ContainerResources } from "../runtime/contract.ts";
import type { PreparedVolume } from "../volume/contract.ts";
import type { ContainerObservation, Failure, PodObservation, Preparation } from "./observation.ts";
import { UNKNOWN_HEALTH } from "./observation.ts";
import { identityOf } from "./pod-containers.ts";
import type { PodDirectories } from "./pod-context.ts";
import type { PodHostname } from "./pod-dns.ts";
import { logDirectoryOf } from "./pod-logs.ts";
import {
  allocationsOf,
  type ContainerAllocations,
  type ResizeState,
  withAllocations,
} from "./resize.ts";

/** A container as its worker keeps it. */
export interface ContainerState extends ContainerObservation {
  stale: string[];
  /** Ends the probes of the current attempt. */
  probes?: Disposable | undefined;
}

/** What a worker knows about its pod; the planner reads it as a `PodObservation`. */
export interface PodState extends PodObservation {
  pod: Pod;
  readonly containers: Map<string, ContainerState>;
  readonly busy: Set<string>;
  /** Pulls of its images: how many go on, since when one does, and how long any did before. */
  readonly pulls: { count: number; sinceMs: number; totalMs: number };
  readonly directory: string;
  readonly etcDirectory: string;
  readonly logDirectory: string;
  sandbox: Preparation;
  volumes: Preparation;
  prepared: ReadonlyMap<string, PreparedVolume>;
  names: PodHostname | undefined;
  /** What the containers were promised; `pod` has it in the place of what it asks for. */
  allocations: ContainerAllocations;
  /** The pod as the API has it. */
  asked: Pod;
  resize: ResizeState | undefined;
  resizeFailure: Failure | undefined;
  limitsDue: boolean;
  /** Limits of the whole pod as the kernel has them; undefined without a sandbox. */
  podLimits: ContainerResources | undefined;
  podIp: string | undefined;
  ending: PodObservation["ending"];
  gone: boolean;
  released: boolean;
  deletionConfirmed: boolean;
  /** ConfigMaps and Secrets that environments refer to, by "kind/name". */
  readonly followed: Map<string, FollowedObject<ConfigMap | Secret>>;
}

/** State of a pod that this node has nothing of yet. */
export function newPodState(
  pod: Pod,
  options: { nowMs: number; directories: PodDirectories },
): PodState {
  const { uid, name, namespace } = identityOf(pod);
  const startTime = pod.status?.startTime;
  // The API keeps whole seconds; rounding here keeps the status equal across a restart.
  const acceptedAtMs = Date.parse(startTime ?? formatTime(options.nowMs));
  const allocations = allocationsOf(pod);
  return {
    pod: withAllocations(pod, allocations),
    asked: pod,
    allocations,
    resize: undefined,
    resizeFailure: undefined,
    limitsDue: false,
    podLimits: undefined,
    acceptedAtMs,
    containers: new Map(),
    busy: new Set(),
    pulls: { count: 0, sinceMs: 0, totalMs: 0 },
    directory: path.join(options.directories.pods, uid),
    etcDirectory: path.join(options.directories.files, uid),
    logDirectory: logDirectoryOf(options.directories, { uid, name, namespace }),
    sandbox: { ready: false },
    volumes: { ready: false },
    prepared: new Map(),
    names: undefined,
    podIp: undefined,
    ending: undefined,
    gone: false,
    released: false,
    deletionConfirmed: false,
    followed: new Map(),
  };
}

/** The state of a container, made on first use. */
export function containerState(state: PodState, name: string): ContainerState {
  let container = state.containers.get(name);
  if (!container) {
    container = { stale: [], health: UNKNOWN_HEALTH, hookPending: false };
    state.containers.set(name, container);
  }
  return container;
}

/** What one attempt of a container leaves to be read. No container's name has a dot. */
export function terminationLogOf(state: PodState, name: string, attempt: number): string {
  return path.join(state.directory, `termination-log.${name}.${attempt}`);
}

/** Directory of what is bound for one attempt of a container, made when there is anything. */
export function attemptDirectory(state: PodState, name: string, attempt: number): string {
  return path.join(state.directory, "containers", name, String(attempt));
}

/** Log of one attempt of a container. */
export function logPathOf(logDirectory: string, name: string, attempt: number): string {
  return path.join(logDirectory, name, `${attempt}.log`);
}
