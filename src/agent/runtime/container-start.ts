import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { deviceRules } from "../../format/oci/runtime-spec.ts";
import type { Timer } from "../../lib/clock.ts";
import { processStartTime } from "../../sys/process.ts";
import { containerConfig, hostDevices } from "./bundle.ts";
import { MonitorError } from "./conmon.ts";
import { assertId, configFile, newStatus } from "./container-record.ts";
import { discardContainer, finishRemovals } from "./container-removal.ts";
import { type ContainerSpec, type ContainerStatus, RuntimeError } from "./contract.ts";
import { settle } from "./exit-watcher.ts";
import { beginContainerMonitor, takeExpected } from "./expectations.ts";
import { unlessTooLong } from "./expected-monitor.ts";
import { mapMounts } from "./mapped-mounts.ts";
import { reclaimNullDevice } from "./null-device.ts";
import { ownMounts } from "./own-mounts.ts";
import { monitorTools } from "./placement.ts";
import { mountRoot } from "./root-filesystem.ts";
import { drivenContainer, driverOf, podCgroup, type RuntimeContext } from "./runtime-context.ts";
import type { SandboxDriver } from "./sandbox-driver.ts";
import { sandboxMounts } from "./sandbox-mounts.ts";
import { ownedNamespaces } from "./sandbox-users.ts";

/** Prepares a container up to the point where its process waits for the start. Idempotent by id. */
export async function createContainer(
  context: RuntimeContext,
  spec: ContainerSpec,
  { isHolder = false }: { isHolder?: boolean } = {},
): Promise<ContainerStatus> {
  const { paths, table, clock } = context;
  assertId(spec.id);
  const known = table.containers.get(spec.id);
  if (known) return known.status;
  if (context.halfRemoved.has(spec.id)) await finishRemovals(context, spec.sandboxId);
  const sandbox = table.sandbox(spec.sandboxId).spec;
  const driver = driverOf(context, spec.sandboxId);
  const cgroup = path.posix.join(podCgroup(context.options.cgroupRoot, sandbox), spec.id);
  const bundle = paths.bundle(spec.id);
  const writable = paths.container(spec.id);
  const target = paths.root(spec.id);
  const status = newStatus(spec, clock.now());
  const { ipc, shm } = sandboxMounts(context, spec.sandboxId);
  let waiting = await takeExpected(context, { ...spec, cgroup });
  try {
    mkdirSync(bundle, { recursive: true, mode: 0o700 });
    context.spread.make(writable, 0o700);
    if (spec.logPath) mkdirSync(path.dirname(spec.logPath), { recursive: true, mode: 0o755 });
    const users = sandbox.users && {
      userNamespace: ownedNamespaces(context, spec.sandboxId).user,
      firstId: sandbox.users.firstId,
    };
    const mapped = paths.mapped(spec.id);
    const { failpoint } = context;
    // Where files have labels, those of a layer of ours would be the node's.
    const plain = !driver.hasOwnKernel && !context.hasSelinux;
    await mountRoot(spec.image, {
      writable,
      target,
      mapped,
      failpoint,
      ...(users && { users }),
      ...(plain && { bottom: context.mountPoints.layerFor(spec.mounts) }),
    });
    const directory = path.join(mapped, "mounts");
    const mounts = users ? await mapMounts(spec.mounts, { directory, users }) : spec.mounts;
    context.failpoint("container-root");
    const joined = isHolder ? undefined : processTarget(context, spec);
    const pidNamespace = driver.processNamespace({
      id: spec.id,
      shared: sandbox.shareProcessNamespace ?? false,
      hostPid: sandbox.hostPid ?? false,
      ...(joined && { target: joined }),
    });
    const driven = drivenContainer(context, {
      status,
      cgroup,
      tty: spec.tty ?? false,
      ...(isHolder && { isHolder }),
    });
    const startedHook = driver.startedHook(driven);
    const appArmorProfile = driver.hasOwnKernel
      ? undefined
      : await context.appArmor.choose(spec.security);
    const config = containerConfig(
      { ...spec, mounts },
      {
        sandbox,
        ...(users && { userNamespace: users }),
        rootPath: target,
        cgroup,
        cgroupVersion: context.cgroups.version,
        placed: driver.placesItself,
        leavesGroupsWritable: driver.leavesGroupsWritable,
        // Root of other users makes no devices, and those of the node are none to another kernel.
        seesNode: (spec.security.privileged ?? false) && !users && !driver.hasOwnKernel,
        available: context.available & driver.capabilities,
        ...(pidNamespace !== undefined && { pidNamespace }),
        ...(!sandbox.hostIpc && { ipcNamespacePath: ipc }),
        // What holds a sandbox needs no memory that its containers share.
        ...(!sandbox.hostIpc && !isHolder && { sharedMemoryPath: shm }),
        seccomp: driver.seccomp,
        annotations: driver.annotations(driven),
        ...(startedHook && { startedHook }),
        oomScoreFloor: context.oomScoreFloor,
        ...(appArmorProfile && { appArmorProfile }),
        hasSelinux: context.hasSelinux,
      },
    );
    const text = JSON.stringify(config);
    waiting = await unlessTooLong(waiting, text);
    if (!waiting) writeFileSync(configFile(bundle), text, { mode: 0o600 });
    context.failpoint("container-config");
    const record = {
      status,
      tty: spec.tty ?? false,
      stdin: spec.stdin ?? false,
      cgroup,
      ...(isHolder && { isHolder }),
      ...((joined || sandbox.hostPid) && { sharesProcesses: true as const }),
      bootId: context.bootId,
    };
    table.save(record);
    context.failpoint("container-record");
    if (driver.placesItself) {
      prepareGroup(context, { spec, cgroup, driver, exists: waiting?.isOpen ?? false });
    }
    context.failpoint("container-cgroup");
    if (driver.ready) await driver.ready();
    const begun = waiting;
    waiting = undefined;
    const own = ownMounts(context, { spec, sandbox });
    const tools = () =>
      monitorTools(context, { driver, cgroup, mounts: own, ...driver.creation(driven) });
    const answer = inTime(
      context,
      begun?.release(text) ?? beginContainerMonitor(context, spec, tools()).answer(),
    );
    const pid = users ? await answer.finally(() => reclaimNullDevice(users.firstId)) : await answer;
    context.failpoint("container-monitor");
    const startTime = processStartTime(pid);
    const created = { ...status, pid };
    table.save({ ...record, status: created, ...(startTime && { startTime }) });
    context.failpoint("container-created");
    return created;
  } catch (error) {
    table.containers.delete(spec.id);
    await waiting?.dismiss();
    const { id, sandboxId } = spec;
    const rest = { id, sandboxId, cgroup, driver };
    await discardContainer(context, rest).catch((trouble: unknown) => {
      // Why it had to go is said first; the rest goes with the sandbox, or before another try.
      context.logger.warn("cannot remove what is left of a container", { id, error: trouble });
      context.halfRemoved.set(id, rest);
    });
    throw runtimeError(error, spec.command[0] ?? "");
  }
}

/** What an OCI runtime has not done by then, it hardly ever will: what it mounts is silent. */
const CREATION_MS = 30_000;

/** @throws RuntimeError when there is no answer in time; what still runs is the caller's to end */
async function inTime(
  { clock, options }: RuntimeContext,
  answer: Promise<number>,
): Promise<number> {
  const limitMs = options.creationMs ?? CREATION_MS;
  let timer: Timer | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message =
      `The OCI runtime has not made the container in ${limitMs / 1000} s: most often a file ` +
      "system that it mounts does not answer; bring back what serves it";
    timer = clock.setTimer(limitMs, () => reject(new RuntimeError("runtime-failed", message)));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer?.cancel();
  }
}

/** @throws RuntimeError "not-running" when the container whose processes are wanted has ended */
function processTarget(
  { table }: RuntimeContext,
  { sharesProcessesOf: id, sandboxId }: ContainerSpec,
): { id: string; pid: number } | undefined {
  const { shareProcessNamespace, hostPid } = table.sandbox(sandboxId).spec;
  if (shareProcessNamespace && !hostPid) {
    // One for all: the target of a debug container is in it too.
    const holder = table.holder(sandboxId)?.status;
    return holder?.pid === undefined ? undefined : { id: holder.id, pid: holder.pid };
  }
  if (id === undefined) return undefined;
  const { status, startTime } = table.container(id);
  const alive = status.pid !== undefined && processStartTime(status.pid) === startTime;
  if (status.sandboxId === sandboxId && alive) return { id, pid: status.pid ?? 0 };
  const message = `Cannot share the processes of container "${status.name}": it does not run`;
  throw new RuntimeError("not-running", message);
}

function prepareGroup(
  { cgroups, groups }: RuntimeContext,
  of: {
    spec: ContainerSpec;
    cgroup: string;
    driver: SandboxDriver;
    exists: boolean;
  },
): void {
  const { spec, cgroup, driver, exists } = of;
  const privileged = spec.security.privileged ?? false;
  const isRestricted = !exists && groups.createContainer(cgroup);
  // The processes of a kernel of its own are in the group of what holds it.
  if (driver.hasOwnKernel) return;
  cgroups.limit(cgroup, spec.resources);
  const devices = hostDevices(spec);
  if (isRestricted && !privileged && devices.length === 0) return;
  cgroups.restrictDevices(cgroup, deviceRules({ privileged, devices }));
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
  const driver = driverOf(context, record.status.sandboxId);
  try {
    await driver.start(drivenContainer(context, record));
    context.failpoint("container-released");
  } catch (error) {
    // A process that fails in its last step before the program has already ended. On a kernel of
    // its own, what ended is the one that waited for it.
    if (driver.hasOwnKernel || !settle(context, table.container(id))) {
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

function readCommand(context: RuntimeContext, id: string): string {
  try {
    const text = readFileSync(configFile(context.paths.bundle(id)), "utf8");
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

/** Of an exec whose runtime failed for another reason than the command. */
const RUNTIME_FAILED_EXIT_CODE = 255;

/** The exit code, as a shell has it, of a command that could not be started; `words` say why. */
export function startExitCode(words: string): number {
  if (/not found|no such file or directory/i.test(words)) return 127;
  if (/permission denied|operation not permitted/i.test(words)) return 126;
  return RUNTIME_FAILED_EXIT_CODE;
}
