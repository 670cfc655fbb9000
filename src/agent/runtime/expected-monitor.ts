import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { makeSpecialFile } from "../../sys/file.ts";
import {
  type BegunMonitor,
  beginMonitor,
  type MonitorRequest,
  type MonitorTools,
} from "./conmon.ts";
import { assertId, configFile } from "./container-record.ts";
import type { ContainerSpec, ExpectedContainer } from "./contract.ts";
import { monitorPidFile } from "./exit-watcher.ts";
import { gated } from "./placement.ts";
import { podCgroup, type RuntimeContext } from "./runtime-context.ts";

/** So many at once: in a burst, the processor has better things to do. */
const EXPECTED_MAX = 3;

/** So much a FIFO holds, whether or not it is read. Source: pipe(7). */
const CONFIG_MAX_BYTES = 64 * 1024;

/**
 * A monitor that runs ahead of its container. Its OCI runtime first waits at a gate until the
 * container's control group exists; then it loads, and waits for its configuration.
 */
export interface ExpectedMonitor {
  readonly sandboxId: string;
  readonly logPath: string;
  /** Of the container. */
  readonly cgroup: string;
  /** The control group exists, and the runtime may be in it. */
  readonly isOpen: boolean;
  open(): void;
  /** Gives it its configuration. Resolves as `BegunMonitor.answer`. */
  release(config: string): Promise<number>;
  /** Ends it; nothing of it is left but its bundle. */
  dismiss(): Promise<void>;
}

/** Starts the monitor of a container that is not complete yet, where that helps. Never throws. */
export function expectContainer(context: RuntimeContext, expected: ExpectedContainer): void {
  const { drivers, table, expectations, logger, trash, paths } = context;
  const { id } = expected;
  if (expectations.size >= EXPECTED_MAX || expectations.has(id) || table.containers.has(id)) return;
  try {
    assertId(id);
    const driver = drivers.of(undefined);
    // Elsewhere nothing stands between the monitor and the runtime that could wait.
    if (!driver.placesItself || driver.hasOwnKernel) return;
    expectations.set(id, begin(context, expected));
    context.failpoint("container-expected");
  } catch (error) {
    logger.warn("cannot start a monitor ahead of its container", { id, error });
    trash.run.discard(paths.bundle(id));
  }
}

function begin(context: RuntimeContext, expected: ExpectedContainer): ExpectedMonitor {
  const { id, sandboxId, logPath, qosClass } = expected;
  const pod = podCgroup(context.options.cgroupRoot, { id: sandboxId, qosClass });
  const cgroup = path.posix.join(pod, id);
  const bundle = context.paths.bundle(id);
  mkdirSync(bundle, { recursive: true, mode: 0o700 });
  mkdirSync(path.dirname(logPath), { recursive: true, mode: 0o755 });
  const gate = openFifo(path.join(bundle, "gate"));
  let config: Fifo | undefined;
  try {
    config = openFifo(configFile(bundle));
    const driver = context.drivers.of(undefined);
    const tools = gated(context, { driver, gate: gate.file, cgroup });
    const monitor = beginContainerMonitor(context, { id, logPath }, tools);
    return expectedMonitor({ sandboxId, logPath, cgroup, monitor, gate, config });
  } catch (error) {
    for (const fifo of [gate, config]) if (fifo) closeSync(fifo.fd);
    throw error;
  }
}

interface Fifo {
  file: string;
  fd: number;
}

/** Open for both, neither end waits for the other; as long as it is open, what is written stays. */
function openFifo(file: string): Fifo {
  makeSpecialFile(file, { file: { kind: "fifo" }, mode: 0o600 });
  return { file, fd: openSync(file, constants.O_RDWR | constants.O_NONBLOCK) };
}

function expectedMonitor(of: {
  sandboxId: string;
  logPath: string;
  cgroup: string;
  monitor: Pick<BegunMonitor, "answer">;
  gate: Fifo;
  config: Fifo;
}): ExpectedMonitor {
  const { monitor, gate, config, sandboxId, logPath, cgroup } = of;
  let isOpen = false;
  const open = () => {
    if (!isOpen) writeSync(gate.fd, "1");
    isOpen = true;
  };
  return {
    sandboxId,
    logPath,
    cgroup,
    get isOpen() {
      return isOpen;
    },
    open,
    async release(text) {
      try {
        // A runtime that comes only now finds the file, as it does when it reads a second time.
        writeFileSync(`${config.file}.new`, text, { mode: 0o600 });
        renameSync(`${config.file}.new`, config.file);
        writeSync(config.fd, text);
        closeSync(config.fd);
        open();
        return await monitor.answer();
      } finally {
        closeSync(gate.fd);
      }
    },
    async dismiss() {
      // What waits there reads the end, what has not come so far finds nothing; the monitor says so.
      for (const { file, fd } of [gate, config]) {
        rmSync(file, { force: true });
        closeSync(fd);
      }
      await monitor.answer().catch(() => {});
    },
  };
}

/** Lets the runtimes that wait for containers of a sandbox load: it has its control groups now. */
export function openGates({ expectations, cgroups }: RuntimeContext, sandboxId: string): void {
  for (const expected of expectations.values()) {
    if (expected.sandboxId !== sandboxId) continue;
    cgroups.create(expected.cgroup);
    expected.open();
  }
}

/** The monitor that waits for this container, if it is the right one. */
export async function takeExpected(
  { expectations }: RuntimeContext,
  spec: ContainerSpec & { cgroup: string },
): Promise<ExpectedMonitor | undefined> {
  const expected = expectations.get(spec.id);
  if (!expected) return undefined;
  expectations.delete(spec.id);
  const { sandboxId, logPath, cgroup, stdin, tty } = spec;
  const fits =
    expected.sandboxId === sandboxId && expected.logPath === logPath && expected.cgroup === cgroup;
  if (fits && !stdin && !tty) return expected;
  await expected.dismiss();
  return undefined;
}

/** The monitor, which ends if the configuration of its container is too long for it. */
export async function unlessTooLong(
  expected: ExpectedMonitor | undefined,
  config: string,
): Promise<ExpectedMonitor | undefined> {
  if (Buffer.byteLength(config) <= CONFIG_MAX_BYTES) return expected;
  await expected?.dismiss();
  return undefined;
}

/** Ends the monitors that wait for containers of a sandbox, or all. Idempotent. */
export async function dismissExpected(context: RuntimeContext, sandboxId?: string): Promise<void> {
  const { expectations, paths, trash } = context;
  const unwanted = [...expectations].filter(
    ([, expected]) => sandboxId === undefined || expected.sandboxId === sandboxId,
  );
  for (const [id] of unwanted) expectations.delete(id);
  await Promise.all(
    unwanted.map(async ([id, expected]) => {
      await expected.dismiss();
      trash.run.discard(paths.bundle(id));
    }),
  );
}

type MonitoredContainer = Pick<ContainerSpec, "id" | "logPath" | "tty" | "stdin" | "stdinOnce">;

/** Starts the monitor of a container, now or ahead of it. @throws MonitorError */
export function beginContainerMonitor(
  context: RuntimeContext,
  spec: MonitoredContainer,
  tools: MonitorTools,
): Pick<BegunMonitor, "answer"> {
  const monitor = beginMonitor(tools, monitorRequest(context, spec));
  return {
    async answer() {
      const pid = await monitor.answer();
      context.monitors.adopt(spec.id, monitor.pid);
      return pid;
    },
  };
}

function monitorRequest({ paths }: RuntimeContext, spec: MonitoredContainer): MonitorRequest {
  const bundle = paths.bundle(spec.id);
  return {
    id: spec.id,
    bundle,
    pidFile: path.join(bundle, "pidfile"),
    monitorPidFile: monitorPidFile(bundle),
    exitDirectory: paths.exits,
    ...(spec.logPath && { logPath: spec.logPath }),
    tty: spec.tty ?? false,
    stdin: spec.stdin ?? false,
    leaveStdinOpen: !(spec.stdinOnce ?? false),
  };
}
