import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { createIpcNamespace } from "../../sys/ipc-namespace.ts";
import { isMountPoint, MOUNT_FLAGS, mount, unmountAside } from "../../sys/mount.ts";
import { assertId, holderIdOf, writeJson } from "./container-record.ts";
import { finishRemovals, removeContainer, stopContainer } from "./container-removal.ts";
import {
  type ContainerResources,
  RuntimeError,
  type SandboxSpec,
  type SandboxStatus,
} from "./contract.ts";
import { dismissExpected, openGates } from "./expectations.ts";
import { beginHolder, settleHolder } from "./holder.ts";
import { kernelWait } from "./kernel-wait.ts";
import { podCgroup, qosCgroup, type RuntimeContext } from "./runtime-context.ts";
import { sandboxMounts } from "./sandbox-mounts.ts";
import { prepareUsers, releaseUsers } from "./sandbox-users.ts";

const CPU_SHARES_MIN = 2;
const UNLIMITED = -1;
const CPU_SHARES_MAX = 262_144;
const SHARED_MEMORY_BYTES = 64 * 1024 * 1024;

/** Makes what the containers of a pod share. Idempotent by id. */
export async function createSandbox(
  context: RuntimeContext,
  spec: SandboxSpec,
): Promise<SandboxStatus> {
  const { paths, table, cgroups, clock, options } = context;
  assertId(spec.id);
  const known = table.sandboxes.get(spec.id);
  if (known) return { id: spec.id, ...known };
  const refusal = context.drivers.of(spec.handler).refusal(spec);
  if (refusal) throw new RuntimeError("runtime-failed", refusal);
  const group = podCgroup(options.cgroupRoot, spec);
  const record = { spec, createdAtMs: clock.now() };
  const file = path.join(paths.sandbox(spec.id), "sandbox.json");
  try {
    // First of all: without it, nobody would know of the rest after a crash.
    context.spread.make(paths.sandbox(spec.id), 0o700);
    writeJson(file, { ...record, incomplete: true });
    context.groups.createPod(group);
    cgroups.limit(group, spec.resources);
    context.failpoint("sandbox-cgroup");
    if (!spec.hostIpc) shareMemory(context, spec);
    context.failpoint("sandbox-namespaces");
    writeJson(file, record);
    context.failpoint("sandbox-record");
  } catch (error) {
    await discardSandbox(context, spec);
    throw error;
  }
  table.sandboxes.set(spec.id, record);
  openGates(context, spec.id);
  weighBurstable(context);
  await beginHolder(context, spec);
  return { id: spec.id, ...record };
}

/** Makes again what a sandbox lost by a reboot; does nothing for one that has it. */
export async function restoreSandbox(context: RuntimeContext, spec: SandboxSpec): Promise<void> {
  const { cgroups, options } = context;
  const { id, users, handler } = spec;
  const { ipc, shm } = sandboxMounts(context, id);
  if (!spec.hostIpc && isMountPoint(shm)) return;
  const group = podCgroup(options.cgroupRoot, spec);
  cgroups.create(group);
  cgroups.limit(group, spec.resources);
  if (users) await prepareUsers(context, { id, ...(handler && { handler }) });
  if (spec.hostIpc) return;
  // A crash in the middle of this may have left the one that comes first.
  if (!users) await unmountAside(ipc).then(() => rmSync(ipc, { force: true }));
  shareMemory(context, spec);
}

function shareMemory(context: RuntimeContext, { id, users }: SandboxSpec): void {
  const { ipc, shm } = sandboxMounts(context, id);
  mkdirSync(shm, { recursive: true, mode: 0o711 });
  // User ids of its own come with one that belongs to them.
  if (!users) createIpcNamespace(ipc);
  const { noSuid, noDevices, noExec } = MOUNT_FLAGS;
  const flags = noSuid | noDevices | noExec;
  const data = `mode=1777,size=${SHARED_MEMORY_BYTES}`;
  mount({ source: "shm", target: shm, type: "tmpfs", flags, data });
}

/**
 * Removes everything that a sandbox has outside of its containers, its record in the end, as that
 * is how an agent that comes after this one knows of the rest. Idempotent; false when processes
 * keep its cgroup.
 */
export async function discardSandbox(context: RuntimeContext, spec: SandboxSpec): Promise<boolean> {
  const { paths, cgroups, options, trash } = context;
  releaseUsers(context, spec.id);
  await releaseMounts(context, spec.id);
  context.failpoint("sandbox-mounts-removed");
  if (!cgroups.remove(podCgroup(options.cgroupRoot, spec))) return false;
  context.failpoint("sandbox-cgroup-removed");
  trash.run.discard(paths.sandboxRun(spec.id));
  trash.state.discard(paths.sandbox(spec.id));
  return true;
}

/** What an agent that died had made already for a sandbox of which it had no record yet. */
async function discardUnmade(context: RuntimeContext, id: string): Promise<void> {
  releaseUsers(context, id);
  await releaseMounts(context, id);
  context.trash.run.discard(context.paths.sandboxRun(id));
}

async function releaseMounts(context: RuntimeContext, id: string): Promise<void> {
  const { ipc, shm } = sandboxMounts(context, id);
  await Promise.all([unmountAside(ipc), unmountAside(shm)]);
}

/** Changes limits of a sandbox, in the kernel and in its record. */
export function updateSandbox(
  context: RuntimeContext,
  id: string,
  resources: ContainerResources,
): void {
  const { paths, table, cgroups, options } = context;
  const before = table.sandbox(id);
  forgetLimitsOfEnded(context, id);
  cgroups.limit(podCgroup(options.cgroupRoot, before.spec), resources);
  const merged = { ...before.spec.resources, ...resources };
  const record = { ...before, spec: { ...before.spec, resources: merged } };
  writeJson(path.join(paths.sandbox(id), "sandbox.json"), record);
  table.sandboxes.set(id, record);
  weighBurstable(context);
}

/**
 * With version 1, no group may have less CPU than one below it, though nobody runs in that; one
 * that was removed with its limit would count for a while, too.
 */
function forgetLimitsOfEnded({ table, cgroups }: RuntimeContext, sandboxId: string): void {
  if (cgroups.version !== 1) return;
  for (const { status, cgroup } of table.containers.values()) {
    if (status.sandboxId !== sandboxId || status.state !== "exited") continue;
    const isThere = cgroups.names(path.posix.dirname(cgroup)).includes(path.posix.basename(cgroup));
    if (isThere) cgroups.limit(cgroup, { cpuQuotaUs: UNLIMITED });
  }
}

/**
 * All burstable pods together weigh as much as they asked for: without it, a pod of another class
 * would compete with the whole group as with one pod.
 */
function weighBurstable({ cgroups, options, table }: RuntimeContext): void {
  const pods = [...table.sandboxes.values()].filter(({ spec }) => spec.qosClass === "Burstable");
  if (pods.length === 0) return;
  const shares = pods.reduce((sum, { spec }) => sum + (spec.resources.cpuShares ?? 0), 0);
  const cpuShares = Math.min(CPU_SHARES_MAX, Math.max(CPU_SHARES_MIN, shares));
  cgroups.limit(qosCgroup(options.cgroupRoot, "Burstable"), { cpuShares });
}

/** Ends all that runs in a sandbox, for good: nothing can be started in it any more. Idempotent. */
export async function stopSandbox(context: RuntimeContext, id: string): Promise<void> {
  const { cgroups, options, table } = context;
  await dismissExpected(context, id);
  await settleHolder(context, id);
  const record = table.sandboxes.get(id);
  if (!record) return;
  const running = table.inSandbox(id).filter(({ status }) => status.state !== "exited");
  await Promise.all(running.map(({ status }) => stopContainer(context, status.id, { graceMs: 0 })));
  await removeContainer(context, holderIdOf(id));
  cgroups.remove(podCgroup(options.cgroupRoot, record.spec));
}

/** Ends and removes a sandbox with its containers. Idempotent. */
export async function removeSandbox(context: RuntimeContext, id: string): Promise<void> {
  await dismissExpected(context, id);
  await settleHolder(context, id);
  const record = context.table.sandboxes.get(id);
  const containers = context.table.inSandbox(id);
  await Promise.all(containers.map(({ status }) => removeContainer(context, status.id)));
  await removeContainer(context, holderIdOf(id));
  if (context.halfRemoved.size > 0) await finishRemovals(context, id);
  context.failpoint("sandbox-containers-removed");
  if (!record) return await discardUnmade(context, id);
  const group = podCgroup(context.options.cgroupRoot, record.spec);
  if (!(await discardSandbox(context, record.spec))) {
    const why = kernelWait(context.cgroups.processes(group));
    const message = `Cannot remove cgroup "${group}": it has processes: ${why}`;
    throw new RuntimeError("runtime-failed", message);
  }
  context.failpoint("sandbox-removed");
  context.table.sandboxes.delete(id);
  weighBurstable(context);
}
