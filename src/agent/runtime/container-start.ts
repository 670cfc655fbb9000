import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { processStartTime } from "../../sys/process.ts";
import { deviceRules } from "../../format/oci/runtime-spec.ts";
import { containerConfig, hostDevices } from "./bundle.ts";
import { MonitorError, startMonitor } from "./conmon.ts";
import { assertId, newStatus, writeJson } from "./container-record.ts";
import { discardContainer } from "./container-removal.ts";
import { type ContainerSpec, type ContainerStatus, RuntimeError } from "./contract.ts";
import { settle } from "./exit-watcher.ts";
import { mountRoot } from "./root-filesystem.ts";
import { placedTools, podCgroup, type RuntimeContext, runRuntime } from "./runtime-context.ts";
import { sandboxMounts } from "./sandbox.ts";

/** Prepares a container up to the point where its process waits for the start. Idempotent by id. */
export async function createContainer(
  context: RuntimeContext,
  spec: ContainerSpec,
): Promise<ContainerStatus> {
  const { paths, table, clock } = context;
  assertId(spec.id);
  const known = table.containers.get(spec.id);
  if (known) return known.status;
  const sandbox = table.sandbox(spec.sandboxId).spec;
  const cgroup = path.posix.join(podCgroup(context.options.cgroupRoot, sandbox), spec.id);
  const bundle = paths.bundle(spec.id);
  const writable = paths.container(spec.id);
  const target = paths.root(spec.id);
  const status = newStatus(spec, clock.now());
  const { ipc, shm } = sandboxMounts(context, spec.sandboxId);
  try {
    mkdirSync(bundle, { recursive: true, mode: 0o700 });
    mkdirSync(writable, { recursive: true, mode: 0o700 });
    mkdirSync(path.dirname(spec.logPath), { recursive: true, mode: 0o755 });
    mountRoot(spec.image, { writable, target });
    context.failpoint("container-root");
    const pidNamespacePath = processNamespace(context, spec);
    const config = containerConfig(spec, {
      sandbox,
      rootPath: target,
      cgroup,
      cgroupVersion: context.cgroups.version,
      placed: context.placesItself,
      available: context.available,
      ...(pidNamespacePath !== undefined && { pidNamespacePath }),
      ...(!sandbox.hostIpc && { ipcNamespacePath: ipc, sharedMemoryPath: shm }),
      seccomp: context.seccomp,
      oomScoreFloor: context.oomScoreFloor,
    });
    writeJson(path.join(bundle, "config.json"), config);
    context.failpoint("container-config");
    const record = {
      status,
      tty: spec.tty ?? false,
      stdin: spec.stdin ?? false,
      cgroup,
      bootId: context.bootId,
    };
    table.save(record);
    context.failpoint("container-record");
    if (context.placesItself) prepareGroup(context, { spec, cgroup });
    context.failpoint("container-cgroup");
    const pid = await startMonitor(placedTools(context, cgroup), {
      id: spec.id,
      bundle,
      pidFile: path.join(bundle, "pidfile"),
      exitDirectory: paths.exits,
      logPath: spec.logPath,
      tty: spec.tty ?? false,
      stdin: spec.stdin ?? false,
      leaveStdinOpen: !(spec.stdinOnce ?? false),
    });
    context.failpoint("container-monitor");
    const startTime = processStartTime(pid);
    const created = { ...status, pid };
    table.save({ ...record, status: created, ...(startTime && { startTime }) });
    context.failpoint("container-created");
    return created;
  } catch (error) {
    table.containers.delete(spec.id);
    await discardContainer(context, { id: spec.id, cgroup });
    throw runtimeError(error, spec.command[0] ?? "");
  }
}

/** @throws RuntimeError "not-running" when the container whose processes are wanted has ended */
function processNamespace(
  { table }: RuntimeContext,
  { sharesProcessesOf: id, sandboxId }: ContainerSpec,
): string | undefined {
  if (id === undefined) return undefined;
  const { status, startTime } = table.container(id);
  const alive = status.pid !== undefined && processStartTime(status.pid) === startTime;
  if (status.sandboxId === sandboxId && alive) return `/proc/${status.pid}/ns/pid`;
  const message = `Cannot share the processes of container "${status.name}": it does not run`;
  throw new RuntimeError("not-running", message);
}

function prepareGroup(
  { cgroups }: RuntimeContext,
  { spec, cgroup }: { spec: ContainerSpec; cgroup: string },
): void {
  const privileged = spec.security.privileged ?? false;
  cgroups.create(cgroup);
  cgroups.limit(cgroup, spec.resources);
  cgroups.restrictDevices(cgroup, deviceRules({ privileged, devices: hostDevices(spec) }));
}

/** Lets the process of a created container run. Idempotent. */
export async function startContainer(
  context: RuntimeContext,
  id: string,
): Promise<ContainerStatus> {
  const { table, clock } = context;
  const record = table.container(id);
  if (record.status.state !== "created") return record.status;
  const startedAtMs = clock.now();
  // Known before the process runs, as it may end at once.
  table.containers.set(id, { ...record, status: { ...record.status, startedAtMs } });
  try {
    if (!releaseInit(context, id)) await runRuntime(context, ["start", id]);
    context.failpoint("container-released");
  } catch (error) {
    // A process that fails in its last step before the program has already ended.
    if (!settle(context, table.container(id))) {
      throw runtimeError(error, readCommand(context, id));
    }
  }
  const current = table.container(id);
  if (current.status.state === "exited") return current.status;
  table.save({ ...current, status: { ...current.status, state: "running" } });
  context.failpoint("container-started");
  settle(context, table.container(id));
  return table.container(id).status;
}

/**
 * Does what `crun start` does, without its process: the waiting first process reads a byte from a
 * FIFO. False when it is not there, as with other runtimes.
 */
function releaseInit({ paths }: RuntimeContext, id: string): boolean {
  const fifo = path.join(paths.runtimeState, id, "exec.fifo");
  try {
    const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      unlinkSync(fifo);
      return writeSync(fd, "1") === 1;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

function readCommand(context: RuntimeContext, id: string): string {
  try {
    const text = readFileSync(path.join(context.paths.bundle(id), "config.json"), "utf8");
    const config = JSON.parse(text) as { process: { args: string[] } };
    return config.process.args[0] ?? "";
  } catch {
    return "";
  }
}

/** Gives the words of the OCI runtime a code. */
export function runtimeError(error: unknown, command: string): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const words = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  if (!(error instanceof MonitorError)) return new RuntimeError("runtime-failed", words, cause);
  const missing = /executable file .*not found|no such file or directory/i;
  if (missing.test(words) && words.includes(command)) {
    const message = `exec: "${command}": executable file not found in the image: ${words}`;
    return new RuntimeError("command-not-found", message, cause);
  }
  if (/permission denied|operation not permitted/i.test(words)) {
    const message = `exec: "${command}": permission denied: ${words}`;
    return new RuntimeError("permission-denied", message, cause);
  }
  if (/no space left/i.test(words)) return new RuntimeError("no-space", words, cause);
  return new RuntimeError("runtime-failed", words, cause);
}

/** With this code OCI runtimes end when they could not even start the command of an exec. */
export const RUNTIME_FAILED_EXIT_CODE = 255;

/** The exit code, as a shell has it, of a command that could not be started; `words` say why. */
export function startExitCode(words: string): number {
  if (/not found|no such file or directory/i.test(words)) return 127;
  if (/permission denied|operation not permitted/i.test(words)) return 126;
  return RUNTIME_FAILED_EXIT_CODE;
}
