import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type * as cri from "../format/cri/generated.ts";
import type { Outgoing } from "../format/protobuf/message-codec.ts";
import { ContainerEventType } from "../format/cri/generated.ts";
import { discardContainer, listedStatus } from "./container-calls.ts";
import { type CriContext, nanoseconds, newId, requireSandbox } from "./cri-context.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";
import type { SandboxRecord } from "./record-table.ts";
import { requireNetwork } from "./sandbox-network.ts";
import { attachRequest, etcFiles, sandboxSpec } from "./sandbox-spec.ts";
import { listedSandbox, sandboxMatches, sandboxStatus } from "./sandbox-status.ts";
import { firstUserOf } from "./user-mapping.ts";

/** Makes a sandbox; what fails half way leaves nothing. */
export async function runSandbox(
  context: CriContext,
  { config, runtimeHandler }: cri.RunPodSandboxRequest,
): Promise<Outgoing<cri.RunPodSandboxResponse>> {
  const metadata = config?.metadata;
  if (!config || !metadata) {
    throw new GrpcError("invalid-argument", "a sandbox needs a config with metadata");
  }
  const handlers = context.runtime.handlers().map(({ name }) => name);
  if (runtimeHandler && !handlers.includes(runtimeHandler)) {
    const known = handlers.join(", ");
    const message = `no runtime for "${runtimeHandler}" is configured; there is ${known}`;
    throw new GrpcError("not-found", message);
  }
  refuseTwin(context, metadata);
  const record: SandboxRecord = {
    id: newId(context.random),
    config,
    runtimeHandler,
    createdAtMs: context.clock.now(),
    ready: false,
    ip: "",
    bootId: context.bootId,
  };
  context.sandboxes.save(record);
  try {
    const ready = { ...record, ip: await build(context, record), ready: true };
    context.sandboxes.save(ready);
    publish(context, ready, ContainerEventType.CONTAINER_STARTED_EVENT);
  } catch (error) {
    await discardSandbox(context, record);
    throw error;
  }
  return { podSandboxId: record.id };
}

/** Name, namespace, UID and attempt are a sandbox's identity. @throws GrpcError */
function refuseTwin({ sandboxes }: CriContext, wanted: cri.PodSandboxMetadata): void {
  const keys = ["name", "namespace", "uid", "attempt"] as const;
  const twin = sandboxes
    .all()
    .find(({ config }) => keys.every((key) => config.metadata?.[key] === wanted[key]));
  if (!twin) return;
  const what = `attempt ${wanted.attempt} of pod ${wanted.namespace}/${wanted.name}`;
  throw new GrpcError("already-exists", `sandbox "${twin.id}" is ${what} already: remove it first`);
}

/** Returns the address; empty in the node's own network. */
async function build(context: CriContext, record: SandboxRecord): Promise<string> {
  const { id, config, runtimeHandler } = record;
  const handler = context.runtime.handlers().find(({ name }) => name === runtimeHandler);
  const firstId = firstUserOf(config.linux?.securityContext?.namespaceOptions);
  const asked = { id, ...(runtimeHandler && { handler: runtimeHandler }) };
  const users =
    firstId === undefined ? undefined : await context.runtime.prepareUsers({ ...asked, firstId });
  const request = attachRequest(config, { id, handler, users });
  const attachment = request && (await requireNetwork(context.network).attach(request));
  const directory = path.join(context.filesDirectory, id);
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const files = etcFiles(config, {
    hostname: context.hostname,
    ip: attachment?.ip ?? "",
    resolvConf: readText("/etc/resolv.conf"),
  });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(path.join(directory, name), text, { mode: 0o644 });
  }
  const hostname = config.hostname || context.hostname;
  const networkNamespacePath = attachment?.networkNamespacePath;
  const of = { id, hostname, networkNamespacePath, runtimeHandler, users };
  await context.runtime.createSandbox(sandboxSpec(config, of));
  return attachment?.ip ?? "";
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Ends what runs in the sandbox and gives its address back. Idempotent, also when it is gone. */
export async function stopSandbox(
  context: CriContext,
  { podSandboxId }: cri.StopPodSandboxRequest,
): Promise<Outgoing<cri.StopPodSandboxResponse>> {
  const record = context.sandboxes.find(podSandboxId);
  if (record) await stop(context, record);
  return {};
}

async function stop(context: CriContext, record: SandboxRecord): Promise<void> {
  const { sandboxes, runtime, network } = context;
  if (record.ready) sandboxes.save({ ...record, ready: false });
  await runtime.stopSandbox(record.id);
  await network.current()?.detach(record.id);
  if (record.ready) publish(context, record, ContainerEventType.CONTAINER_STOPPED_EVENT);
}

/** Removes the sandbox with its containers; their logs stay. Idempotent. */
export async function removeSandbox(
  context: CriContext,
  { podSandboxId }: cri.RemovePodSandboxRequest,
): Promise<Outgoing<cri.RemovePodSandboxResponse>> {
  const record = context.sandboxes.find(podSandboxId);
  if (!record) return {};
  await stop(context, record);
  await discardSandbox(context, record);
  publish(context, record, ContainerEventType.CONTAINER_DELETED_EVENT);
  return {};
}

/** Leaves nothing of it, whatever there is. */
export async function discardSandbox(context: CriContext, { id }: SandboxRecord): Promise<void> {
  for (const container of context.containers.all()) {
    if (container.sandboxId === id) await discardContainer(context, container);
  }
  await context.runtime.removeSandbox(id);
  await context.network.current()?.detach(id);
  rmSync(path.join(context.filesDirectory, id), { recursive: true, force: true });
  context.sandboxes.remove(id);
}

/** @throws GrpcError "not-found" */
export function describeSandbox(
  context: CriContext,
  { podSandboxId, verbose }: cri.PodSandboxStatusRequest,
): Outgoing<cri.PodSandboxStatusResponse> {
  const record = requireSandbox(context, podSandboxId);
  const details = { config: record.config, containers: context.runtime.containers(record.id) };
  return {
    status: sandboxStatus(record),
    containersStatuses: statusesIn(context, record.id),
    timestamp: nanoseconds(context.clock.now()),
    ...(verbose && { info: { info: JSON.stringify(details) } }),
  };
}

/** The sandboxes that a filter lets through, newest first. */
export function listSandboxes(
  { sandboxes }: CriContext,
  { filter }: cri.ListPodSandboxRequest,
): Outgoing<cri.ListPodSandboxResponse> {
  const found = sandboxes.all().filter((record) => sandboxMatches(record, filter));
  return { items: found.toSorted((a, b) => b.createdAtMs - a.createdAtMs).map(listedSandbox) };
}

function statusesIn(context: CriContext, id: string): Outgoing<cri.ContainerStatus>[] {
  return context.containers
    .all()
    .filter(({ sandboxId }) => sandboxId === id)
    .flatMap((record) => listedStatus(context, record) ?? []);
}

function publish(context: CriContext, record: SandboxRecord, containerEventType: number): void {
  const current = context.sandboxes.find(record.id);
  context.events.publish({
    containerId: record.id,
    containerEventType,
    createdAt: nanoseconds(context.clock.now()),
    ...(current && { podSandboxStatus: sandboxStatus(current) }),
    containersStatuses: statusesIn(context, record.id),
  });
}
