import { rmSync } from "node:fs";
import path from "node:path";
import { missingCalls } from "../../sys/kernel-calls.ts";
import { unmountBelow } from "../../sys/mount.ts";
import { SysError } from "../../sys/sys-error.ts";
import { type AttachTarget, openAttachSession } from "./attach.ts";
import { removeContainer, stopContainer } from "./container-removal.ts";
import { createContainer, startContainer } from "./container-start.ts";
import {
  type AttachOptions,
  type ContainerResources,
  type ContainerRuntime,
  RuntimeError,
  type StreamSession,
} from "./contract.ts";
import { execSession, execSync } from "./exec.ts";
import { watchExits } from "./exit-watcher.ts";
import { dismissExpected, expectContainer } from "./expectations.ts";
import { ensureHolder } from "./holder.ts";
import { reopenLog } from "./log-reopen.ts";
import { prepareDirectories, recover } from "./recovery.ts";
import {
  type CrunRuntimeOptions,
  createContext,
  driverOf,
  podCgroup,
  type RuntimeContext,
} from "./runtime-context.ts";
import { createSandbox, removeSandbox, stopSandbox, updateSandbox } from "./sandbox.ts";
import { type SandboxGroups, sandboxStats } from "./sandbox-stats.ts";
import { prepareUsers } from "./sandbox-users.ts";

/**
 * Runs containers with OCI runtimes (crun, runc, runsc) under conmon monitors, on an overlay of the
 * image's layers. Containers outlive this process; a new runtime on the same directories finds
 * them. One runtime at a time may use a state directory.
 */
export function createCrunRuntime(options: CrunRuntimeOptions): Promise<ContainerRuntime> {
  refuseOldKernel(missingCalls());
  const context = createContext(options);
  const { table } = context;
  prepareDirectories(context);
  const watcher = watchExits(context);
  const { random } = options;
  const runtime: ContainerRuntime = {
    async recover() {
      const { drivers, standIns } = context;
      const runtimes = drivers.installed().map(({ name }) => drivers.of(name).command[0] ?? "");
      const prepared = standIns.prepare(runtimes);
      await recover(context);
      await prepared;
      await prepareLeanMounts(context);
      watcher.check();
      context.groups.begin();
      return {
        sandboxes: [...table.sandboxes].map(([id, record]) => ({ id, ...record })),
        containers: runtime.containers(),
      };
    },
    handlers: () => context.drivers.installed(),
    prepareUsers: (request) => prepareUsers(context, request),
    createSandbox: (spec) => createSandbox(context, spec),
    stopSandbox: (id) => stopSandbox(context, id),
    removeSandbox: (id) => removeSandbox(context, id),
    prepareNext: (isAlone) => context.groups.prepareNext(isAlone),
    expectContainer: (expected) => expectContainer(context, expected),
    async createContainer(spec) {
      const { hasOwnKernel } = driverOf(context, spec.sandboxId);
      // A terminal is handed over at once; else, a kernel is needed only by what starts on it.
      if (!hasOwnKernel || spec.tty) await ensureHolder(context, spec.sandboxId);
      return await createContainer(context, spec);
    },
    async startContainer(id) {
      const { sandboxId } = table.container(id).status;
      if (driverOf(context, sandboxId).hasOwnKernel) await ensureHolder(context, sandboxId);
      return await startContainer(context, id);
    },
    stopContainer: (id, stop) => stopContainer(context, id, stop),
    removeContainer: (id) => removeContainer(context, id),
    status: (id) => table.containers.get(id)?.status,
    containers: (sandboxId) =>
      [...table.containers.values()]
        .filter(({ isHolder }) => !isHolder)
        .map((record) => record.status)
        .filter((status) => sandboxId === undefined || status.sandboxId === sandboxId),
    onExit: (handler) => table.onExit(handler),
    onKernel(handler) {
      context.kernelHandlers.add(handler);
      return { [Symbol.dispose]: () => void context.kernelHandlers.delete(handler) };
    },
    execSync: (id, command, timeoutMs) => execSync(context, id, { command, timeoutMs, random }),
    exec: (id, exec) => execSession(context, id, { ...exec, random }),
    attach: (id, streams) => settled(() => attach(context, id, streams)),
    reopenLog: (id) => reopenLog(context, id),
    updateSandbox: (id, resources) => settled(() => updateSandbox(context, id, resources)),
    updateResources: (id, limits) => settled(() => updateContainer(context, id, limits)),
    writableLayer: (id) => path.join(context.paths.container(id), "upper"),
    stats: (id, asked) =>
      settled(() => sandboxStats(context.cgroups, groupsOf(context, id), asked)),
    metrics: () => context.cgroups.metrics(),
    async [Symbol.asyncDispose]() {
      await dismissExpected(context);
      await Promise.allSettled(context.holding.values());
      watcher[Symbol.dispose]();
      context.groups[Symbol.dispose]();
      context.drivers[Symbol.dispose]();
      context.leanMounts[Symbol.dispose]();
      await emptyTrash(context);
    },
  };
  return Promise.resolve(runtime);
}

/** @throws RuntimeError, before anything fails for want of them with other words */
export function refuseOldKernel(missing: readonly string[]): void {
  if (missing.length === 0) return;
  const message = `Cannot run containers: the kernel has no ${missing.join(", ")}; use Linux 5.6`;
  throw new RuntimeError("runtime-failed", `${message} or a later one`);
}

/** Those of the pods that run are known by now, so that they stay outside. */
async function prepareLeanMounts({ drivers, leanMounts, standIns }: RuntimeContext): Promise<void> {
  const programs = drivers
    .installed()
    .map(({ name }) => drivers.of(name))
    .filter(({ needsFewMounts }) => needsFewMounts)
    .map(({ command: [file = ""] }) => ({ file, env: standIns.environment(file) }));
  if (programs.length > 0) await leanMounts.prepare(programs);
}

/** What runs on a kernel of the pod's is not in the container's group: the pod's limits hold it. */
function updateContainer(context: RuntimeContext, id: string, limits: ContainerResources): void {
  const { status, cgroup } = context.table.container(id);
  if (driverOf(context, status.sandboxId).hasOwnKernel) return;
  context.cgroups.limit(cgroup, limits);
}

async function emptyTrash({ trash }: RuntimeContext): Promise<void> {
  await Promise.all([trash.state[Symbol.asyncDispose](), trash.run[Symbol.asyncDispose]()]);
}

/** Runs synchronous work so that its exception becomes a rejection. */
async function settled<T>(work: () => T): Promise<T> {
  await Promise.resolve();
  return work();
}

/** What connecting to the socket of a monitor that ended meets. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ECONNREFUSED"]);

function attach(context: RuntimeContext, id: string, streams: AttachOptions): StreamSession {
  const { table, paths } = context;
  const record = table.container(id);
  const hasExited = (cause?: unknown) => {
    const message = `Cannot attach to container "${record.status.name}": it has exited`;
    return new RuntimeError("not-running", message, { cause });
  };
  if (record.status.state === "exited") throw hasExited();
  const target: AttachTarget = {
    tty: record.tty,
    streams: { ...streams, stdin: streams.stdin && record.stdin },
    outcome: async () => {
      await table.exited(id);
      return { exitCode: table.containers.get(id)?.status.exitCode ?? 0 };
    },
  };
  try {
    return openAttachSession(paths.bundle(id), target);
  } catch (error) {
    // Its monitor takes the socket away a moment before it tells of the end.
    const isGone = error instanceof SysError && GONE.has(error.code);
    throw isGone ? hasExited(error) : error;
  }
}

function groupsOf({ table, clock, options }: RuntimeContext, id: string): SandboxGroups {
  return {
    atMs: clock.now(),
    group: podCgroup(options.cgroupRoot, table.sandbox(id).spec),
    containers: table.inSandbox(id).map(({ status, cgroup }) => ({ status, group: cgroup })),
  };
}

/**
 * Ends every container of these directories and removes all that the runtime ever made: processes,
 * cgroups, mounts, files. For `down --purge`. Idempotent.
 */
export async function purgeCrunRuntime(options: CrunRuntimeOptions): Promise<void> {
  const context = createContext(options);
  const { table } = context;
  prepareDirectories(context);
  using _watcher = watchExits(context);
  using _drivers = context.drivers;
  await recover(context);
  await Promise.all(Array.from(table.containers.keys(), (id) => removeContainer(context, id)));
  await Promise.all(Array.from(table.sandboxes.keys(), (id) => removeSandbox(context, id)));
  await emptyTrash(context);
  unmountBelow(options.runDirectory);
  context.cgroups.remove(options.cgroupRoot);
  for (const directory of [options.stateDirectory, options.runDirectory]) {
    rmSync(directory, { recursive: true, force: true });
  }
}
