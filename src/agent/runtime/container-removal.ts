import { existsSync, rmdirSync, rmSync } from "node:fs";
import path from "node:path";
import { sleep } from "../../lib/clock.ts";
import { openProcess, processStartTime } from "../../sys/process.ts";
import type { ContainerRecord } from "./container-record.ts";
import { type ContainerStatus, RuntimeError, type StopOptions } from "./contract.ts";
import { finish, settle } from "./exit-watcher.ts";
import { kernelWait } from "./kernel-wait.ts";
import { killGroup } from "./kill-group.ts";
import { unmapAll } from "./mapped-mounts.ts";
import { unmountRoot } from "./root-filesystem.ts";
import { drivenContainer, presentDriverOf, type RuntimeContext } from "./runtime-context.ts";
import type { SandboxDriver } from "./sandbox-driver.ts";

const KILL_MS = 10_000;
const OWN_KERNEL_KILL_MS = 2_000;
const CGROUP_RETRY_MS = 5;
const CGROUP_RETRIES = 400;
const KILLED_EXIT_CODE = 137;

/** Ends a container: politely, then by force. Resolves with its last status. */
export async function stopContainer(
  context: RuntimeContext,
  id: string,
  { signal = "SIGTERM", graceMs }: StopOptions,
): Promise<ContainerStatus> {
  const { table, clock } = context;
  const record = table.container(id);
  if (record.status.state === "running" && graceMs > 0) {
    await signalContainer(context, record, signal);
    await orTimeout(context, table.exited(id), graceMs);
  }
  if (table.container(id).status.state !== "exited") {
    await signalContainer(context, record, "SIGKILL");
    context.failpoint("stop-signal");
    await killRest(context, record);
  }
  const last = table.container(id);
  if (last.status.state !== "exited") {
    const { pid } = last.status;
    if (pid !== undefined && processStartTime(pid) === last.startTime) {
      const why = kernelWait(context.cgroups.processes(record.cgroup));
      const message = `Container "${id}" survived SIGKILL: ${why}`;
      throw new RuntimeError("runtime-failed", message);
    }
    // Its monitor is gone too, so nobody will write an exit file.
    if (!settle(context, last)) {
      finish(context, last, { exitCode: KILLED_EXIT_CODE, finishedAtMs: clock.now() });
    }
  }
  return table.container(id).status;
}

/** Ends what a signal to the first process has left. */
async function killRest(context: RuntimeContext, record: ContainerRecord): Promise<void> {
  const { id, sandboxId, state } = record.status;
  const exited = context.table.exited(id);
  const driver = presentDriverOf(context, sandboxId);
  // What watches a process on another kernel has to clear up after it.
  if (driver?.hasOwnKernel && !record.isHolder && state === "running") {
    await orTimeout(context, exited, OWN_KERNEL_KILL_MS);
  }
  killGroup(context, record.cgroup);
  await orTimeout(context, exited, KILL_MS);
}

async function signalContainer(
  context: RuntimeContext,
  record: ContainerRecord,
  signal: string,
): Promise<void> {
  const { pid, sandboxId } = record.status;
  const driver = presentDriverOf(context, sandboxId);
  if (await driver?.signal(drivenContainer(context, record), signal)) return;
  if (pid === undefined || record.startTime === undefined) return;
  using process = openProcess(pid, record.startTime);
  process?.signal(signal);
}

async function orTimeout(
  { clock }: RuntimeContext,
  event: Promise<void>,
  delayMs: number,
): Promise<void> {
  const abort = new AbortController();
  await Promise.race([event, sleep(clock, delayMs, abort.signal)]);
  abort.abort();
}

/** Removes a container and all that it had but its log; ends it first. Idempotent. */
export async function removeContainer(context: RuntimeContext, id: string): Promise<void> {
  const record = context.table.containers.get(id);
  if (!record) return;
  if (record.status.state !== "exited") await stopContainer(context, id, { graceMs: 0 });
  const { sandboxId } = record.status;
  const driver = presentDriverOf(context, sandboxId);
  await discardContainer(context, { id, sandboxId, cgroup: record.cgroup, driver });
  context.table.containers.delete(id);
}

/** What is known of a container that is to leave nothing behind. */
export interface DiscardedContainer {
  id: string;
  cgroup: string;
  sandboxId?: string;
  /** Undefined when its program is not there any more. */
  driver?: SandboxDriver | undefined;
}

/** Removes what may be left of a container in the kernel and on disk, known or not. */
export async function discardContainer(
  context: RuntimeContext,
  { id, cgroup, sandboxId, driver }: DiscardedContainer,
): Promise<void> {
  const { paths, cgroups, clock, trash } = context;
  for (let attempt = 0; ; attempt++) {
    killGroup(context, cgroup);
    // A group stays busy for a moment after its last process was killed.
    if (cgroups.remove(cgroup)) break;
    if (attempt >= CGROUP_RETRIES) {
      const why = kernelWait(cgroups.processes(cgroup));
      const message = `Cannot remove cgroup "${cgroup}": its processes do not end: ${why}`;
      throw new RuntimeError("runtime-failed", message);
    }
    await sleep(clock, CGROUP_RETRY_MS);
  }
  if (sandboxId !== undefined) await driver?.discard({ id, sandboxId });
  context.monitors.release(id);
  context.failpoint("container-cgroup-removed");
  await unmountRoot(paths.root(id));
  await removeMapped(paths.mapped(id));
  context.failpoint("container-root-removed");
  rmSync(path.join(paths.exits, id), { force: true });
  trash.run.discard(paths.bundle(id));
  trash.state.discard(paths.container(id));
  context.failpoint("container-removed");
}

/** Removes what could not be removed before of the containers of a sandbox. @throws RuntimeError */
export async function finishRemovals(context: RuntimeContext, sandboxId: string): Promise<void> {
  for (const [id, rest] of context.halfRemoved) {
    if (rest.sandboxId !== sandboxId) continue;
    await discardContainer(context, rest);
    context.halfRemoved.delete(id);
  }
}

/** What was mounted with other owners for a container; nothing for most. */
async function removeMapped(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  for (const name of ["layers", "mounts"]) await unmapAll(path.join(directory, name));
  rmdirSync(directory);
}
