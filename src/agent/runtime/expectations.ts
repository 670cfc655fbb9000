import { mkdirSync } from "node:fs";
import path from "node:path";
import {
  type BegunMonitor,
  beginMonitor,
  type MonitorRequest,
  type MonitorTools,
} from "./conmon.ts";
import { assertId } from "./container-record.ts";
import type { ContainerSpec, ExpectedContainer } from "./contract.ts";
import { monitorPidFile } from "./exit-watcher.ts";
import { type ExpectedMonitor, startExpected } from "./expected-monitor.ts";
import { gated } from "./placement.ts";
import { podCgroup, type RuntimeContext } from "./runtime-context.ts";

/** So many at once: in a burst, the processor has better things to do. */
const EXPECTED_MAX = 3;

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
    if (table.sandboxes.has(expected.sandboxId)) openGates(context, expected.sandboxId);
  } catch (error) {
    logger.warn("cannot start a monitor ahead of its container", { id, error });
    // One that waits is still taken, or dismissed with its sandbox.
    if (!expectations.has(id)) trash.run.discard(paths.bundle(id));
  }
}

function begin(context: RuntimeContext, expected: ExpectedContainer): ExpectedMonitor {
  const { id, sandboxId, logPath, qosClass } = expected;
  const pod = podCgroup(context.options.cgroupRoot, { id: sandboxId, qosClass });
  const cgroup = path.posix.join(pod, id);
  const bundle = context.paths.bundle(id);
  mkdirSync(bundle, { recursive: true, mode: 0o700 });
  mkdirSync(path.dirname(logPath), { recursive: true, mode: 0o755 });
  return startExpected({ sandboxId, logPath, cgroup, bundle }, (gate) => {
    const tools = gated(context, { driver: context.drivers.of(undefined), gate, cgroup });
    return beginContainerMonitor(context, { id, logPath }, tools);
  });
}

/** Lets the runtimes that wait for containers of a sandbox load: it has its control groups now. */
export function openGates({ expectations, groups }: RuntimeContext, sandboxId: string): void {
  for (const expected of expectations.values()) {
    if (expected.sandboxId !== sandboxId) continue;
    groups.createContainer(expected.cgroup);
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
  context.failpoint("monitor-begun");
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
