import type { ContainerStatus as RuntimeStatus } from "../agent/runtime/contract.ts";
import type * as cri from "../format/cri/generated.ts";
import { ContainerState } from "../format/cri/generated.ts";
import type { Outgoing } from "../format/protobuf/message-codec.ts";
import { hasLabels, nanoseconds } from "./cri-context.ts";
import type { ContainerRecord } from "./record-table.ts";

const STATES: Readonly<Record<RuntimeStatus["state"], number>> = {
  created: ContainerState.CONTAINER_CREATED,
  running: ContainerState.CONTAINER_RUNNING,
  exited: ContainerState.CONTAINER_EXITED,
};
/** Exit code of a container whose command could not be run. */
const EXIT_CANNOT_RUN = 128;

/** A container as the runtime has it; undefined while it is being made. */
export interface SeenContainer {
  record: ContainerRecord;
  status: RuntimeStatus | undefined;
}

/** Whether it can be told of: it is made, or will never be. */
export function isVisible({ record, status }: SeenContainer): boolean {
  return status !== undefined || record.failure !== undefined;
}

function stateOf({ record: { failure }, status }: SeenContainer): number {
  if (status) return STATES[status.state];
  return failure?.atMs === undefined
    ? ContainerState.CONTAINER_CREATED
    : ContainerState.CONTAINER_EXITED;
}

/** The container as a list has it. */
export function listedContainer(seen: SeenContainer): Outgoing<cri.Container> {
  const { id, sandboxId, config, imageId, createdAtMs } = seen.record;
  return {
    id,
    podSandboxId: sandboxId,
    metadata: config.metadata,
    image: config.image,
    imageRef: imageId,
    imageId,
    state: stateOf(seen),
    createdAt: nanoseconds(createdAtMs),
    labels: config.labels,
    annotations: config.annotations,
  };
}

/** The container with all that is known of it. */
export function containerStatus(seen: SeenContainer): Outgoing<cri.ContainerStatus> {
  const { record, status } = seen;
  const { id, config, imageId, createdAtMs, failure, logPath } = record;
  const resources = config.linux?.resources;
  const user = config.linux?.securityContext;
  return {
    id,
    metadata: config.metadata,
    state: stateOf(seen),
    createdAt: nanoseconds(createdAtMs),
    startedAt: nanoseconds(status?.startedAtMs ?? failure?.atMs),
    finishedAt: nanoseconds(status?.finishedAtMs ?? failure?.atMs),
    exitCode: status?.exitCode ?? (failure?.atMs === undefined ? 0 : EXIT_CANNOT_RUN),
    image: config.image,
    imageRef: imageId,
    imageId,
    ...reasonOf(seen),
    labels: config.labels,
    annotations: config.annotations,
    mounts: config.mounts,
    logPath,
    ...(resources && { resources: { linux: resources } }),
    ...(user?.runAsUser && { user: { linux: { uid: user.runAsUser.value } } }),
  };
}

/** Of containers that ended. */
function reasonOf({ record: { failure }, status }: SeenContainer): {
  reason?: string;
  message?: string;
} {
  if (failure?.atMs !== undefined) return { reason: "StartError", message: failure.message };
  if (status?.state !== "exited") return {};
  if (status.oomKilled) return { reason: "OOMKilled" };
  return { reason: status.exitCode === 0 ? "Completed" : "Error" };
}

/** Whether a filter of a list lets the container through. */
export function containerMatches(
  seen: SeenContainer,
  filter: cri.ContainerFilter | undefined,
): boolean {
  if (!filter) return true;
  const { id, sandboxId, config } = seen.record;
  return (
    id.startsWith(filter.id) &&
    sandboxId.startsWith(filter.podSandboxId) &&
    (!filter.state || filter.state.state === stateOf(seen)) &&
    hasLabels(config.labels, filter.labelSelector)
  );
}
