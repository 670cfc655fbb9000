import { chmodSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { processStartTime } from "../../sys/process.ts";
import { type ContainerRecord, namesIn, readJson, type SandboxRecord } from "./container-record.ts";
import { discardContainer } from "./container-removal.ts";
import { endExecs } from "./exec-directory.ts";
import { finish, settle } from "./exit-watcher.ts";
import { runProgram } from "./oci-command.ts";
import { driverOf, presentDriverOf, type RuntimeContext } from "./runtime-context.ts";
import { discardSandbox, restoreSandbox } from "./sandbox.ts";
import { endStrays, startWords } from "./stray-monitors.ts";

const LOST_EXIT_CODE = 137;

/** Reads the records back and compares them with what runs. */
export async function recover(context: RuntimeContext): Promise<void> {
  const { paths, table } = context;
  for (const id of namesIn(paths.sandboxes)) {
    const record = readJson<SandboxRecord>(path.join(paths.sandbox(id), "sandbox.json"));
    if (record?.incomplete) await discardSandbox(context, record.spec);
    else if (record) table.sandboxes.set(id, record);
  }
  const unrecorded: string[] = [];
  for (const id of namesIn(paths.containers)) {
    const record = readJson<ContainerRecord>(path.join(paths.container(id), "container.json"));
    if (record) table.containers.set(id, record);
    else unrecorded.push(id);
  }
  const starting = unfinished(context).flatMap((id) =>
    startWords({ id, bundle: paths.bundle(id) }),
  );
  await endStrays(starting, context.clock);
  for (const id of unrecorded) {
    await discardContainer(context, { id, cgroup: unknownGroup(context, id) });
  }
  for (const id of namesIn(paths.bundles)) {
    if (!table.containers.has(id)) context.trash.run.discard(paths.bundle(id));
  }
  for (const [id, { spec }] of table.sandboxes) {
    await restoreSandbox(context, spec).catch((error: unknown) => {
      context.logger.error("cannot make a sandbox again", { id, error });
    });
  }
  for (const record of table.containers.values()) await judge(context, record);
  removeHalfExits(context);
  await endExecs(context);
}

/** What monitors leave that are killed while they tell of an exit; nobody will ask for it. */
function removeHalfExits({ paths, table }: RuntimeContext): void {
  for (const name of namesIn(paths.exits)) {
    const id = name.replace(/\.[A-Za-z0-9]{6}$/, "");
    if (!table.containers.has(id) && !table.containers.has(name)) {
      rmSync(path.join(paths.exits, name), { force: true });
    }
  }
}

/** Containers that an agent was making when it died; their monitors may be at work. */
function unfinished(context: RuntimeContext): string[] {
  const { paths, table } = context;
  return namesIn(paths.bundles).filter((id) => {
    const record = table.containers.get(id);
    return !record || isUnfinished(context, record);
  });
}

/** Nobody starts a holder later than its sandbox. */
function isUnfinished({ bootId }: RuntimeContext, record: ContainerRecord): boolean {
  const { state, pid } = record.status;
  const begun = state === "created" && (pid === undefined || record.isHolder === true);
  return begun && record.bootId === bootId;
}

/** Prepares the directories. */
export function prepareDirectories({ paths, options }: RuntimeContext): void {
  // Users that are not the node's pass through them, and see no names.
  for (const directory of [options.runDirectory, paths.roots, paths.mappings]) {
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o711);
  }
  for (const directory of [paths.sandboxes, paths.containers, paths.exits, paths.execs]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
}

/** A group that exists for no container: nothing was started without a record. */
function unknownGroup(context: RuntimeContext, id: string): string {
  return path.posix.join("/", context.options.cgroupRoot, "kubepods", `unknown-${id}`);
}

async function judge(context: RuntimeContext, record: ContainerRecord): Promise<void> {
  const { status, bootId, startTime } = record;
  if (status.state === "exited") return context.table.announceExit(status);
  if (settle(context, record)) return;
  const { pid } = status;
  if (isUnfinished(context, record)) {
    // The agent died while the monitor was starting it: the caller makes it anew.
    context.table.containers.delete(status.id);
    const { id, sandboxId } = status;
    const driver = presentDriverOf(context, sandboxId);
    return discardContainer(context, { id, sandboxId, cgroup: record.cgroup, driver });
  }
  const alive =
    bootId === context.bootId && pid !== undefined && processStartTime(pid) === startTime;
  if (!alive) {
    finish(context, record, { exitCode: LOST_EXIT_CODE, finishedAtMs: context.clock.now() });
    return;
  }
  // The start may have happened just before the agent died.
  if (status.state === "created" && (await hasStarted(context, record))) {
    const running = { ...status, state: "running" as const, startedAtMs: status.createdAtMs };
    context.table.save({ ...record, status: running });
  }
}

async function hasStarted(context: RuntimeContext, { status }: ContainerRecord): Promise<boolean> {
  try {
    const { command } = driverOf(context, status.sandboxId);
    const text = await runProgram([...command, "state", status.id]);
    const state = JSON.parse(text) as { status?: string };
    return state.status === "running";
  } catch {
    return false;
  }
}
