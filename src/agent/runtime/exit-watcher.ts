import { type FSWatcher, readFileSync, statSync, watch } from "node:fs";
import path from "node:path";
import type { Timer } from "../../lib/clock.ts";
import { processStartTime } from "../../sys/process.ts";
import { type ContainerRecord, holderIdOf, namesIn } from "./container-record.ts";
import type { ContainerStatus } from "./contract.ts";
import { killGroup } from "./kill-group.ts";
import { presentDriverOf, type RuntimeContext } from "./runtime-context.ts";

const SWEEP_MS = 5_000;
/** What a process without a monitor left is said to have ended with; nobody saw it. */
const UNKNOWN_EXIT_CODE = 137;

/** Sees the exit files that monitors write. */
export interface ExitWatcher extends Disposable {
  /** Looks at one container, or all, now. */
  check(id?: string): void;
}

/**
 * Watches the directory of exit files; a slow sweep catches what inotify drops when its queue is
 * full, and processes whose monitor died.
 */
export function watchExits(context: RuntimeContext): ExitWatcher {
  const { paths, table, clock } = context;
  const suspects = new Set<string>();
  const checkOne = (id: string) => {
    const record = table.containers.get(id);
    if (record && record.status.state !== "exited") settle(context, record);
  };
  const sweep = () => {
    context.monitors.reap();
    for (const name of namesIn(paths.exits)) checkOne(name);
    for (const record of table.containers.values()) {
      const { id, state, pid } = record.status;
      const dead = pid !== undefined && processStartTime(pid) !== record.startTime;
      const watched = dead || state !== "running" || hasMonitor(paths.bundle(id), id);
      if (state === "exited" || (!dead && watched)) suspects.delete(id);
      else if (!suspects.has(id)) suspects.add(id);
      else giveUp(record, dead);
    }
  };
  /** A process that nobody watches would lose its output, and nobody would see it end. */
  const giveUp = (record: ContainerRecord, dead: boolean) => {
    const { id, name } = record.status;
    suspects.delete(id);
    const end = { exitCode: UNKNOWN_EXIT_CODE, finishedAtMs: clock.now() };
    if (dead) return finish(context, record, end);
    context.logger.error("the monitor of a container has died", { id, container: name });
    killGroup(context, record.cgroup);
    finish(context, record, { ...end, lost: "The monitor of the container died before it" });
  };
  const watcher: FSWatcher = watch(paths.exits, { persistent: false }, (_event, name) => {
    if (name) checkOne(name);
    else sweep();
  });
  watcher.on("error", (error) => context.logger.error("cannot watch exits", { error }));
  let timer: Timer;
  const again = () => {
    sweep();
    timer = clock.setTimer(SWEEP_MS, again);
  };
  timer = clock.setTimer(SWEEP_MS, again);
  return {
    check: (id) => (id === undefined ? sweep() : checkOne(id)),
    [Symbol.dispose]() {
      timer.cancel();
      watcher.close();
      context.monitors.reap();
    },
  };
}

/** Where a monitor leaves its own PID. */
export function monitorPidFile(bundle: string): string {
  return path.join(bundle, "monitor.pid");
}

/** Containers of an earlier version have no such file, and count as watched. */
function hasMonitor(bundle: string, id: string): boolean {
  const pid = textOf(monitorPidFile(bundle))?.trim();
  return !pid || (textOf(`/proc/${pid}/cmdline`)?.includes(id) ?? false);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Reads the exit file, if there is one; false when there is none. */
export function settle(context: RuntimeContext, record: ContainerRecord): boolean {
  const file = path.join(context.paths.exits, record.status.id);
  // Mostly there is none, which is no exception.
  const found = statSync(file, { throwIfNoEntry: false });
  const text = found && textOf(file);
  if (!found || text === undefined) return false;
  const finishedAtMs = Math.round(found.mtimeMs);
  const exitCode = Number.parseInt(text, 10);
  if (!Number.isInteger(exitCode)) return false;
  finish(context, record, { exitCode, finishedAtMs });
  return true;
}

/** Whether the container ended with its kernel, which was killed for want of memory. */
function hasKernelGone(context: RuntimeContext, { status, isHolder }: ContainerRecord): boolean {
  const { table, cgroups } = context;
  const { sandboxId } = status;
  if (isHolder || !presentDriverOf(context, sandboxId)?.hasOwnKernel) return false;
  const holder = table.containers.get(holderIdOf(sandboxId));
  return holder !== undefined && !table.holder(sandboxId) && cgroups.oomKills(holder.cgroup) > 0;
}

/** Makes the container exited, on disk before anybody hears of it. */
export function finish(
  context: RuntimeContext,
  record: ContainerRecord,
  end: { exitCode: number; finishedAtMs: number; lost?: string },
): void {
  if (record.status.state === "exited") return;
  const { pid: _, ...status } = record.status;
  // Times of files come from a coarser clock, which may lag behind a few milliseconds.
  const finishedAtMs = Math.max(end.finishedAtMs, status.startedAtMs ?? status.createdAtMs);
  if (record.sharesProcesses) killGroup(context, record.cgroup);
  const oomKilled = context.cgroups.oomKills(record.cgroup) > 0 || hasKernelGone(context, record);
  const exited: ContainerStatus = {
    ...status,
    state: "exited",
    exitCode: end.exitCode,
    finishedAtMs,
    ...(oomKilled && { oomKilled }),
    ...(end.lost !== undefined && { lost: end.lost }),
  };
  context.table.save({ ...record, status: exited });
  context.monitors.reap(); // those of earlier containers: this one is still about to end
  context.monitors.release(status.id);
  context.table.announceExit(exited);
}
