import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { sleep } from "../../../lib/clock.ts";
import { openProcess, processStartTime } from "../../../sys/process.ts";
import { assertId } from "../container-record.ts";
import {
  type ContainerResources,
  type ContainerSpec,
  type ContainerStatus,
  RuntimeError,
  type StopOptions,
} from "../contract.ts";
import { podCgroup } from "../runtime-context.ts";
import { containerConfig, resourcesOf } from "./cri-config.ts";
import { type CriContext, criError, isAbsent } from "./cri-context.ts";
import { keptOf, statusOf } from "./cri-objects.ts";
import { readySandbox } from "./cri-sandboxes.ts";
import type { CriContainer } from "./cri-table.ts";

const STOP_MARGIN_MS = 120_000;

/** Has the container made; its process does not run yet. Idempotent by id. */
export async function createContainer(
  context: CriContext,
  spec: ContainerSpec,
): Promise<ContainerStatus> {
  const { table, client, options } = context;
  assertId(spec.id);
  const known = table.containers.get(spec.id);
  if (known) return known.status;
  const sandbox = table.sandbox(spec.sandboxId).spec;
  const targetId = processTarget(context, spec);
  const config = containerConfig({
    spec,
    sandbox,
    node: options.cgroupRoot,
    ...(targetId !== undefined && { targetId }),
  });
  if (spec.logPath) mkdirSync(path.dirname(spec.logPath), { recursive: true, mode: 0o755 });
  try {
    const { podSandboxId, config: sandboxConfig } = await readySandbox(context, sandbox);
    const request = { podSandboxId, config, sandboxConfig };
    const { containerId } = await client.call("RuntimeService/CreateContainer", request);
    context.failpoint("container-created");
    return await refreshed(context, containerId);
  } catch (error) {
    const { image } = spec;
    if (isAbsent(error) && String(error).includes(image.id)) {
      const name = image.references[0] ?? image.id;
      const message = `Cannot use image "${name}": ${context.facts.name} does not have it any more`;
      throw new RuntimeError("runtime-failed", message, { cause: error });
    }
    throw criError(error, spec.command[0]);
  }
}

function processTarget(
  { table }: CriContext,
  { sharesProcessesOf: id }: ContainerSpec,
): string | undefined {
  if (id === undefined) return undefined;
  const { status, remoteId } = table.container(id);
  if (status.state === "running") return remoteId;
  const message = `Cannot share the processes of container "${status.name}": it does not run`;
  throw new RuntimeError("not-running", message);
}

/** Lets the process of a created container run. Idempotent. */
export async function startContainer(context: CriContext, id: string): Promise<ContainerStatus> {
  const { table, client } = context;
  const { status, remoteId, kept } = table.container(id);
  if (status.state !== "created") return status;
  try {
    await client.call("RuntimeService/StartContainer", { containerId: remoteId });
  } catch (error) {
    throw criError(error, kept.command);
  }
  context.failpoint("container-started");
  const started = await refreshed(context, remoteId);
  limitRest(context, { id, limits: kept.limits });
  return started;
}

/** Sets the limits that the interface has no word for. */
function limitRest(
  context: CriContext,
  { id, limits: { pidsMax, hugePages } }: { id: string; limits: ContainerResources },
): void {
  const limits = { ...(pidsMax !== undefined && { pidsMax }), ...(hugePages && { hugePages }) };
  try {
    context.cgroups.limit(containerCgroup(context, id), limits);
  } catch (error) {
    // One that has ended has no group any more.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** The group that the runtime makes for a container, below the one that the agent made. */
export function containerCgroup({ table, options }: CriContext, id: string): string {
  const { status, remoteId } = table.container(id);
  const { spec } = table.sandbox(status.sandboxId);
  return path.posix.join(podCgroup(options.cgroupRoot, spec), remoteId);
}

/** Changes limits of a running container. */
export async function updateContainer(
  context: CriContext,
  { id, limits }: { id: string; limits: ContainerResources },
): Promise<void> {
  const { remoteId: containerId } = context.table.container(id);
  const linux = resourcesOf(limits);
  try {
    await context.client.call("RuntimeService/UpdateContainerResources", { containerId, linux });
  } catch (error) {
    throw criError(error);
  }
  limitRest(context, { id, limits });
}

/** Sends the signal, then SIGKILL; the interface knows no signal but the image's. */
export async function stopContainer(
  context: CriContext,
  id: string,
  { signal, graceMs }: StopOptions,
): Promise<ContainerStatus> {
  const { table, client, options } = context;
  const { status, remoteId, kept, startTime } = table.container(id);
  if (status.state === "exited") return status;
  let graceLeftMs = graceMs;
  if (signal !== undefined && signal !== kept.stopSignal && status.pid !== undefined) {
    using process = openProcess(status.pid, startTime);
    process?.signal(signal);
    await Promise.race([table.exited(id), sleep(options.clock, graceMs)]);
    graceLeftMs = 0;
  }
  const timeout = Math.ceil(graceLeftMs / 1000);
  const deadline = { timeoutMs: graceLeftMs + STOP_MARGIN_MS };
  try {
    const request = { containerId: remoteId, timeout };
    await client.call("RuntimeService/StopContainer", request, deadline);
    return await refreshed(context, remoteId);
  } catch (error) {
    throw criError(error);
  }
}

/** Removes a container, and ends it before if it runs. Idempotent. */
export async function removeContainer(context: CriContext, id: string): Promise<void> {
  const { table, client } = context;
  const found = table.containers.get(id);
  if (!found) return;
  try {
    await client.call("RuntimeService/RemoveContainer", { containerId: found.remoteId });
  } catch (error) {
    if (!isAbsent(error)) throw criError(error);
  }
  context.failpoint("container-removed");
  table.forget(id);
}

/** Asks what became of a container, and remembers it. @throws GrpcError */
export async function refreshed(context: CriContext, remoteId: string): Promise<ContainerStatus> {
  const { client, table } = context;
  const request = { containerId: remoteId, verbose: true };
  const { status: found, info } = await client.call("RuntimeService/ContainerStatus", request);
  const kept = found && keptOf(found.annotations);
  if (!kept) throw new RuntimeError("not-found", `Container "${remoteId}" is none of this node's`);
  const status = statusOf(found, kept);
  const before = table.containers.get(status.id);
  if (before?.status.state === "exited") return before.status;
  const container: CriContainer = {
    ...(before?.layer !== undefined && { layer: before.layer }),
    status,
    remoteId,
    kept,
    ...(status.state === "running" && liveFacts(status, info["info"])),
  };
  table.save(container);
  return container.status;
}

/** What only a running process tells: who it is, and where its writable layer lies. */
function liveFacts(
  status: ContainerStatus,
  info: string | undefined,
): Partial<Pick<CriContainer, "status" | "startTime" | "layer">> {
  const { pid } = JSON.parse(info ?? "{}") as { pid?: number };
  const startTime = pid && processStartTime(pid);
  if (!pid || !startTime) return {};
  const layer = upperDirectory(pid);
  return { status: { ...status, pid }, startTime, ...(layer !== undefined && { layer }) };
}

/** Of the overlay that a process has as its root. */
function upperDirectory(pid: number): string | undefined {
  try {
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8").split("\n");
    const root = mounts.find((line) => line.split(" ")[4] === "/");
    return /\bupperdir=([^,\s]+)/.exec(root ?? "")?.[1];
  } catch {
    return undefined; // it has just ended
  }
}
