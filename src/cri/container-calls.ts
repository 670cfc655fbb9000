import { mkdirSync } from "node:fs";
import path from "node:path";
import { RuntimeError } from "../agent/runtime/contract.ts";
import type * as cri from "../format/cri/generated.ts";
import { ContainerEventType } from "../format/cri/generated.ts";
import type { Outgoing } from "../format/protobuf/message-codec.ts";
import { containerResources, containerSpec } from "./container-spec.ts";
import {
  containerMatches,
  containerStatus,
  isVisible,
  listedContainer,
  type SeenContainer,
} from "./container-status.ts";
import {
  type CriContext,
  nanoseconds,
  newId,
  requireContainer,
  requireSandbox,
} from "./cri-context.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";
import { prepareFarPaths } from "./far-paths.ts";
import type { ContainerRecord } from "./record-table.ts";
import { sandboxStatus } from "./sandbox-status.ts";

/** Makes a container up to the point where its process waits for the start. */
export async function createContainer(
  context: CriContext,
  { podSandboxId, config, sandboxConfig }: cri.CreateContainerRequest,
): Promise<Outgoing<cri.CreateContainerResponse>> {
  const { clock, containers, filesDirectory, hostname, images, random, runtime } = context;
  // Before anything is looked at: what is true now may not be when a file system has answered.
  const farPaths = await prepareFarPaths(context.far, config?.mounts ?? []);
  const sandbox = requireSandbox(context, podSandboxId);
  if (!config?.metadata) {
    throw new GrpcError("invalid-argument", "a container needs a config with metadata");
  }
  if (!sandbox.ready) {
    throw new GrpcError("failed-precondition", `sandbox "${sandbox.id}" is stopped`);
  }
  refuseTwin(context, sandbox.id, config.metadata);
  const reference = config.image?.image ?? "";
  const image = images.find(reference);
  if (!image) throw new GrpcError("not-found", `image "${reference}" is absent: pull it first`);
  const id = newId(random);
  const logs = sandboxConfig?.logDirectory || sandbox.config.logDirectory;
  const logPath = logs && config.logPath ? path.join(logs, config.logPath) : "";
  const files = path.join(filesDirectory, sandbox.id);
  const spec = containerSpec(config, {
    id,
    sandbox,
    image,
    hostname,
    filesDirectory: files,
    logPath,
    farPaths,
  });
  if (logPath) mkdirSync(path.dirname(logPath), { recursive: true, mode: 0o755 });
  const { stopSignal } = image.config;
  const record: ContainerRecord = {
    id,
    sandboxId: sandbox.id,
    config,
    imageId: image.id,
    ...(stopSignal && { stopSignal }),
    logPath,
    createdAtMs: clock.now(),
  };
  containers.save(record);
  try {
    await runtime.createContainer(spec);
  } catch (error) {
    if (!isCommandError(error)) {
      containers.remove(id);
      throw error;
    }
    // The command is at fault, not the container: that is for the start to say.
    containers.save({ ...record, failure: { message: error.message } });
  }
  publish(context, record, ContainerEventType.CONTAINER_CREATED_EVENT);
  return { containerId: id };
}

/** Name and attempt are a container's identity in its sandbox. @throws GrpcError */
function refuseTwin(
  { containers }: CriContext,
  sandboxId: string,
  { name, attempt }: cri.ContainerMetadata,
): void {
  const twin = containers
    .all()
    .filter((record) => record.sandboxId === sandboxId)
    .find(({ config: { metadata } }) => metadata?.name === name && metadata.attempt === attempt);
  if (!twin) return;
  const message = `container "${twin.id}" is attempt ${attempt} of "${name}" already: remove it first`;
  throw new GrpcError("already-exists", message);
}

function isCommandError(error: unknown): error is RuntimeError {
  return (
    error instanceof RuntimeError &&
    (error.code === "command-not-found" || error.code === "permission-denied")
  );
}

/** Lets the container's process run. Idempotent while it runs. */
export async function startContainer(
  context: CriContext,
  { containerId }: cri.StartContainerRequest,
): Promise<Outgoing<cri.StartContainerResponse>> {
  const { clock, containers, runtime } = context;
  const record = requireContainer(context, containerId);
  const fail = (message: string): never => {
    containers.save({ ...record, failure: { message, atMs: clock.now() } });
    publish(context, record, ContainerEventType.CONTAINER_STOPPED_EVENT);
    throw new GrpcError("unknown", `failed to start container "${record.id}": ${message}`);
  };
  if (record.failure) return fail(record.failure.message);
  if (runtime.status(record.id)?.state === "exited") {
    throw new GrpcError("failed-precondition", `container "${record.id}" has ended already`);
  }
  try {
    await runtime.startContainer(record.id);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    await runtime.removeContainer(record.id);
    return fail(error.message);
  }
  publish(context, record, ContainerEventType.CONTAINER_STARTED_EVENT);
  return {};
}

/** Ends the container, by force when `timeout` seconds are over. Idempotent, also when it is gone. */
export async function stopContainer(
  { containers, runtime }: CriContext,
  { containerId, timeout }: cri.StopContainerRequest,
): Promise<Outgoing<cri.StopContainerResponse>> {
  const record = containers.find(containerId);
  if (!record || !runtime.status(record.id)) return {};
  const signal = record.stopSignal;
  const graceMs = Math.min(Math.max(0, timeout) * 1000, GRACE_MAX_MS);
  await runtime.stopContainer(record.id, { graceMs, ...(signal && { signal }) });
  return {};
}

/** Longest delay of a timer: 24 days. */
const GRACE_MAX_MS = 2 ** 31 - 1;

/** Ends and removes the container; its log stays. Idempotent. */
export async function removeContainer(
  context: CriContext,
  { containerId }: cri.RemoveContainerRequest,
): Promise<Outgoing<cri.RemoveContainerResponse>> {
  const record = context.containers.find(containerId);
  if (!record) return {};
  await discardContainer(context, record);
  publish(context, record, ContainerEventType.CONTAINER_DELETED_EVENT);
  return {};
}

/** Leaves nothing of it, whatever there is. */
export async function discardContainer(
  { containers, runtime }: CriContext,
  { id }: ContainerRecord,
): Promise<void> {
  await runtime.removeContainer(id);
  containers.remove(id);
}

function seen({ runtime }: CriContext, record: ContainerRecord): SeenContainer {
  return { record, status: runtime.status(record.id) };
}

/** Status of a container; undefined while it is being made. */
export function listedStatus(
  context: CriContext,
  record: ContainerRecord,
): Outgoing<cri.ContainerStatus> | undefined {
  const found = seen(context, record);
  return isVisible(found) ? containerStatus(found) : undefined;
}

/** @throws GrpcError "not-found" */
export function describeContainer(
  context: CriContext,
  { containerId, verbose }: cri.ContainerStatusRequest,
): Outgoing<cri.ContainerStatusResponse> {
  const record = requireContainer(context, containerId);
  const found = seen(context, record);
  const { sandboxId, config } = record;
  const details = { sandboxID: sandboxId, pid: found.status?.pid ?? 0, config };
  return {
    status: containerStatus(found),
    ...(verbose && { info: { info: JSON.stringify(details) } }),
  };
}

/** The containers that a filter lets through, newest first. */
export function listContainers(
  context: CriContext,
  { filter }: cri.ListContainersRequest,
): Outgoing<cri.ListContainersResponse> {
  const found = context.containers
    .all()
    .map((record) => seen(context, record))
    .filter((each) => isVisible(each) && containerMatches(each, filter));
  const newestFirst = found.toSorted((a, b) => b.record.createdAtMs - a.record.createdAtMs);
  return { containers: newestFirst.map(listedContainer) };
}

/** Changes what is given, of a container that has not ended. */
export async function updateResources(
  context: CriContext,
  { containerId, linux }: cri.UpdateContainerResourcesRequest,
): Promise<Outgoing<cri.UpdateContainerResourcesResponse>> {
  const record = requireContainer(context, containerId);
  const state = context.runtime.status(record.id)?.state;
  if (state !== "created" && state !== "running") {
    throw new GrpcError("failed-precondition", `container "${record.id}" does not run`);
  }
  if (!linux) return {};
  await context.runtime.updateResources(record.id, containerResources(linux));
  const before = record.config.linux;
  const given = Object.entries(linux).filter(([, value]) => value !== 0 && value !== "");
  const resources = { ...before?.resources, ...Object.fromEntries(given) };
  const config = { ...record.config, linux: { ...before, resources } } as cri.ContainerConfig;
  context.containers.save({ ...record, config });
  return {};
}

/** Tells the subscribers what became of a container. */
export function publish(
  context: CriContext,
  record: ContainerRecord,
  containerEventType: number,
): void {
  const sandbox = context.sandboxes.find(record.sandboxId);
  const statuses = context.containers
    .all()
    .filter(({ sandboxId }) => sandboxId === record.sandboxId)
    .flatMap((each) => listedStatus(context, each) ?? []);
  context.events.publish({
    containerId: record.id,
    containerEventType,
    createdAt: nanoseconds(context.clock.now()),
    ...(sandbox && { podSandboxStatus: sandboxStatus(sandbox) }),
    containersStatuses: statuses,
  });
}
