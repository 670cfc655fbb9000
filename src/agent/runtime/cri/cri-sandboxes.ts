import { readlinkSync, statSync } from "node:fs";
import type * as cri from "../../../format/cri/generated.ts";
import type { Outgoing } from "../../../format/protobuf/message-codec.ts";
import { assertId } from "../container-record.ts";
import {
  type ContainerResources,
  RuntimeError,
  type SandboxSpec,
  type SandboxStatus,
} from "../contract.ts";
import { podCgroup } from "../runtime-context.ts";
import { sandboxConfig } from "./cri-config.ts";
import { type CriContext, criError, isAbsent } from "./cri-context.ts";
import { CRI } from "./cri-objects.ts";
import type { CriSandbox } from "./cri-table.ts";

/** A sandbox that containers can be made in. */
export interface ReadySandbox {
  podSandboxId: string;
  config: Outgoing<cri.PodSandboxConfig>;
}

/** Makes what the containers of a pod share. Idempotent by id. */
export async function createSandbox(
  context: CriContext,
  spec: SandboxSpec,
): Promise<SandboxStatus> {
  const { table, options } = context;
  assertId(spec.id);
  const known = table.sandboxes.get(spec.id);
  if (!known) {
    refuse(context, spec);
    const sandbox: CriSandbox = { spec, createdAtMs: options.clock.now(), remoteIds: [] };
    table.sandboxes.set(spec.id, sandbox);
  }
  try {
    await readySandbox(context, known?.spec ?? spec);
  } catch (error) {
    if (!known) await removeSandbox(context, spec.id);
    throw criError(error);
  }
  const { createdAtMs, spec: made } = table.sandbox(spec.id);
  return { id: spec.id, spec: made, createdAtMs };
}

/** @throws RuntimeError for what this runtime has not */
function refuse({ facts }: CriContext, { handler }: SandboxSpec): void {
  const names = facts.handlers.map(({ name }) => name);
  if (handler === undefined || names.includes(handler)) return;
  const known = `a RuntimeClass may name ${names.join(", ")}`;
  const message = `no runtime for "${handler}" is configured in ${facts.name}: ${known}`;
  throw new RuntimeError("handler-missing", message);
}

/** The sandbox that is in use, or a new one after the one before has died, as in a reboot. */
export async function readySandbox(context: CriContext, spec: SandboxSpec): Promise<ReadySandbox> {
  const { table, client, cgroups, networks, options } = context;
  const known = table.sandbox(spec.id);
  const cgroupParent = podCgroup(options.cgroupRoot, spec);
  const input = { spec, cgroupParent, node: options.cgroupRoot };
  const last = known.remoteIds.at(-1);
  if (last !== undefined) {
    if (await isReady(context, last)) {
      const attempt = known.remoteIds.length - 1;
      return { podSandboxId: last, config: sandboxConfig({ ...input, attempt }) };
    }
    await stopRemote(context, last);
  }
  cgroups.create(cgroupParent);
  cgroups.limit(cgroupParent, spec.resources);
  context.failpoint("sandbox-cgroup");
  if (spec.networkNamespacePath !== undefined) {
    networks.offer(spec.id, { namespacePath: spec.networkNamespacePath, ip: spec.podIp });
  }
  context.failpoint("sandbox-namespaces");
  const config = sandboxConfig({ ...input, attempt: known.remoteIds.length });
  const runtimeHandler = spec.handler ?? "";
  const request = { config, runtimeHandler };
  const { podSandboxId } = await client.call("RuntimeService/RunPodSandbox", request);
  table.sandboxes.set(spec.id, { ...known, remoteIds: [...known.remoteIds, podSandboxId] });
  context.failpoint("sandbox-record");
  await checkNetwork(context, { podSandboxId, spec });
  return { podSandboxId, config };
}

async function isReady({ client }: CriContext, podSandboxId: string): Promise<boolean> {
  try {
    const { status } = await client.call("RuntimeService/PodSandboxStatus", { podSandboxId });
    return status?.state === CRI.sandbox.ready;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** A pod in the wrong network is worse than none. What has no process cannot be looked at. */
async function checkNetwork(
  { client, facts }: CriContext,
  { podSandboxId, spec }: { podSandboxId: string; spec: SandboxSpec },
): Promise<void> {
  const request = { podSandboxId, verbose: true };
  const { info } = await client.call("RuntimeService/PodSandboxStatus", request);
  const { pid } = JSON.parse(info["info"] ?? "{}") as { pid?: number };
  if (!pid) return;
  const wanted = statSync(spec.networkNamespacePath ?? "/proc/self/ns/net").ino;
  const found = networkOf(pid);
  if (found === undefined) {
    const image = facts.sandboxImage ?? "image of sandboxes";
    const message = `what holds a sandbox of ${facts.name} ended at once: look at its "${image}"`;
    throw new RuntimeError("runtime-failed", message);
  }
  if (found === `${wanted}`) return;
  const why =
    spec.networkNamespacePath === undefined
      ? "it runs in another network than this node, so that hostNetwork cannot be had"
      : "another CNI plugin than that of Nephos is in charge of the network of pods";
  throw new RuntimeError("runtime-failed", `${facts.name} made a sandbox elsewhere: ${why}`);
}

/** Number of the network namespace of a process; undefined when it is gone. */
function networkOf(pid: number): string | undefined {
  try {
    return /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[1];
  } catch {
    return undefined;
  }
}

/** Changes limits of a sandbox. */
export function updateSandbox(
  { table, cgroups, options }: CriContext,
  id: string,
  resources: ContainerResources,
): void {
  const known = table.sandbox(id);
  cgroups.limit(podCgroup(options.cgroupRoot, known.spec), resources);
  const merged = { ...known.spec.resources, ...resources };
  table.sandboxes.set(id, { ...known, spec: { ...known.spec, resources: merged } });
}

/** Ends all that runs in a sandbox, for good. Idempotent. */
export async function stopSandbox(context: CriContext, id: string): Promise<void> {
  const { table, cgroups, options } = context;
  const known = table.sandboxes.get(id);
  if (!known) return;
  for (const remoteId of known.remoteIds) await stopRemote(context, remoteId);
  cgroups.remove(podCgroup(options.cgroupRoot, known.spec));
}

async function stopRemote({ client }: CriContext, podSandboxId: string): Promise<void> {
  try {
    await client.call("RuntimeService/StopPodSandbox", { podSandboxId });
  } catch (error) {
    if (!isAbsent(error)) throw criError(error);
  }
}

/** Ends and removes a sandbox with its containers. Idempotent. */
export async function removeSandbox(context: CriContext, id: string): Promise<void> {
  const { table, client, cgroups, networks, options } = context;
  const known = table.sandboxes.get(id);
  if (!known) return removeRest(context, id);
  for (const podSandboxId of known.remoteIds) {
    await stopRemote(context, podSandboxId);
    await client
      .call("RuntimeService/RemovePodSandbox", { podSandboxId })
      .catch((error: unknown) => {
        if (!isAbsent(error)) throw criError(error);
      });
  }
  context.failpoint("sandbox-containers-removed");
  const group = podCgroup(options.cgroupRoot, known.spec);
  if (!cgroups.remove(group)) {
    throw new RuntimeError("runtime-failed", `Cannot remove cgroup "${group}": it has processes`);
  }
  context.failpoint("sandbox-cgroup-removed");
  networks.withdraw(id);
  context.failpoint("sandbox-removed");
  for (const { status } of table.inSandbox(id)) table.forget(status.id);
  table.sandboxes.delete(id);
}

/** What an agent left that died before the runtime heard of the sandbox, or after it forgot it. */
function removeRest({ cgroups, networks, options }: CriContext, id: string): void {
  networks.withdraw(id);
  for (const qosClass of ["Guaranteed", "Burstable", "BestEffort"] as const) {
    cgroups.remove(podCgroup(options.cgroupRoot, { id, qosClass }));
  }
}
