import { existsSync, type FSWatcher, watch } from "node:fs";
import { type Clock, sleep, type Timer } from "../../../lib/clock.ts";
import { refreshed } from "./cri-containers.ts";
import { type CriContext, isAbsent } from "./cri-context.ts";
import { CRI, ofNode } from "./cri-objects.ts";
import type { CriContainer } from "./cri-table.ts";

/** As often as a kubelet looks for what has changed. */
const RELIST_MS = 1000;
/** Something changes in the runtime's directory a moment before it knows of the end itself. */
const HINT_DELAYS_MS = [2, 10, 50];

/** Sees containers end. */
export interface CriExits extends Disposable {
  /** Looks now. @throws GrpcError */
  check(): Promise<void>;
}

/** Asks every second what still runs, and at once when the runtime's directory changes. */
export function watchExits(context: CriContext): CriExits {
  const { table, client, options, facts } = context;
  const { clock, logger } = options;
  let closed = false;
  let wasReached = true;
  const settle = async ({ status, remoteId }: CriContainer) => {
    try {
      await refreshed(context, remoteId);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      const known = table.containers.get(status.id);
      if (known?.status.state !== "running") return;
      // Somebody else removed it; nobody knows how it ended.
      const { pid: _, ...rest } = known.status;
      const lost = `${facts.name} has no such container any more`;
      const end = { state: "exited" as const, exitCode: 137, finishedAtMs: clock.now(), lost };
      table.save({ ...known, status: { ...rest, ...end } });
    }
  };
  const check = async () => {
    const running = [...table.containers.values()].filter(
      ({ status }) => status.state === "running",
    );
    if (running.length === 0) return;
    const filter = { labelSelector: ofNode(options.cgroupRoot) };
    const { containers } = await client.call("RuntimeService/ListContainers", { filter });
    const states = new Map(containers.map(({ id, state }) => [id, state]));
    const ended = running.filter(({ remoteId }) => states.get(remoteId) !== CRI.container.running);
    await Promise.all(ended.map(settle));
  };
  const hints = openHints(facts.tasksDirectory, (remoteId) => {
    const found = [...table.containers.values()].find((one) => one.remoteId === remoteId);
    if (found) void follow(found);
  });
  /** The slow look sees what this one does not. */
  const follow = async (found: CriContainer) => {
    for (const delayMs of HINT_DELAYS_MS) {
      await sleep(clock, delayMs);
      if (closed || table.containers.get(found.status.id)?.status.state !== "running") return;
      await settle(found).catch(() => {});
    }
  };
  const repeat = repeating(clock, async () => {
    try {
      await check();
      wasReached = true;
    } catch (error) {
      if (wasReached && !closed) logger.warn("the container runtime does not answer", { error });
      wasReached = false;
    }
  });
  return {
    check,
    [Symbol.dispose]() {
      closed = true;
      repeat[Symbol.dispose]();
      hints?.close();
    },
  };
}

function repeating(clock: Clock, work: () => Promise<void>): Disposable {
  let timer: Timer;
  let closed = false;
  const again = async () => {
    await work();
    if (!closed) timer = clock.setTimer(RELIST_MS, () => void again());
  };
  timer = clock.setTimer(RELIST_MS, () => void again());
  return {
    [Symbol.dispose]() {
      closed = true;
      timer.cancel();
    },
  };
}

/** containerd keeps a directory for each running container, named like it. */
function openHints(
  directory: string | undefined,
  seen: (remoteId: string) => void,
): FSWatcher | undefined {
  if (directory === undefined || !existsSync(directory)) return undefined;
  const watcher = watch(directory, { persistent: false }, (_event, name) => {
    if (name && !existsSync(`${directory}/${name}`)) seen(name);
  });
  watcher.on("error", () => watcher.close());
  return watcher;
}
