import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { type BackoffPolicy, backoffDelayMs } from "../lib/backoff.ts";
import { type Clock, sleep, type Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { openProcess } from "../sys/process.ts";
import { identify, type InstanceProcess, isAlive } from "./instance.ts";

/** A process that runs as long as the daemon does, and beyond. */
export interface Member {
  role: "agent" | "proxy";
  node: string;
  /** Starts the process with an IPC channel, on which its first message says that it is ready. */
  start(): ChildProcess;
}

/** Starts processes again that end; those that it is given may outlive it. */
export interface Supervisor extends Disposable {
  /**
   * Resolves when the member is ready, at once when an earlier daemon left it running.
   * @throws Error when it ends before that; it is tried again all the same
   */
  ensure(member: Member): Promise<void>;
  processes(): readonly InstanceProcess[];
  /** Sends a signal to all of a role, and starts them no more. Resolves when they have ended. */
  end(role: Member["role"], signal: NodeJS.Signals): Promise<void>;
  /** Lets go of what is ready, and ends what is not. */
  [Symbol.dispose](): void;
}

/** What a supervisor works with. */
export interface SupervisorOptions {
  /** Processes that an earlier daemon left running. */
  found: readonly InstanceProcess[];
  /** Told whenever `processes` changes, so that `down` knows what to stop. */
  onChange: () => void;
  clock: Clock;
  logger: Logger;
}

const RESTART: BackoffPolicy = { baseMs: 100, maxMs: 30_000 };
/** Whoever ran for so long is forgiven its earlier ends. */
const SETTLED_MS = 60_000;
/** Processes that are not our children tell nobody when they end. */
const LOOK_AFTER_MS = 1_000;
const LEAVING_POLL_MS = 50;

interface Watched {
  member: Member;
  process: InstanceProcess | undefined;
  startedAtMs: number;
  failures: number;
  timer: Timer | undefined;
  isLeaving?: true;
  /** It was started and has not said yet that it is ready. */
  starting?: ChildProcess | undefined;
}

/** Keeps members running, with a back-off that doubles from 100 ms to 30 s. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { clock, logger, onChange } = options;
  const all: Watched[] = [];
  let closed = false;

  const ended = (watched: Watched, how: unknown) => {
    if (closed || watched.isLeaving) return;
    const { role, node } = watched.member;
    if (clock.monotonicMs() - watched.startedAtMs >= SETTLED_MS) watched.failures = 0;
    const delayMs = backoffDelayMs(RESTART, ++watched.failures);
    logger.error("a process ended and is started again", { role, node, how, delayMs });
    watched.process = undefined;
    onChange();
    watched.timer = clock.setTimer(delayMs, () => {
      launch(watched).catch((error: unknown) =>
        logger.error("a process cannot be started", { role, node, error }),
      );
    });
  };

  const launch = async (watched: Watched): Promise<void> => {
    const { role, node } = watched.member;
    watched.startedAtMs = clock.monotonicMs();
    let child: ChildProcess;
    try {
      child = watched.member.start();
    } catch (error) {
      ended(watched, error);
      throw error;
    }
    const exited = once(child, "exit").then(([code, signal]) => signal ?? code, String);
    void exited.then((how: unknown) => ended(watched, how));
    if (child.pid !== undefined) {
      watched.process = identify(role, child.pid, node);
      onChange();
    }
    const failed = exited.then((how) => {
      throw new Error(`the ${role} of node "${node}" ended with ${how}; see the log`);
    });
    failed.catch(() => {}); // once it was ready, the end is news for `ended` alone
    watched.starting = child;
    await Promise.race([once(child, "message"), failed]).finally(() => {
      watched.starting = undefined;
    });
    if (child.connected) child.disconnect();
    child.unref();
  };

  const watch = (watched: Watched) => {
    watched.timer = clock.setTimer(LOOK_AFTER_MS, () => {
      if (!watched.process || !isAlive(watched.process)) ended(watched, "unknown");
      else watch(watched);
    });
  };

  return {
    async ensure(member) {
      const process = options.found.find(
        (found) => found.role === member.role && found.node === member.node && isAlive(found),
      );
      const startedAtMs = clock.monotonicMs();
      const watched: Watched = { member, process, startedAtMs, failures: 0, timer: undefined };
      all.push(watched);
      if (process) watch(watched);
      else await launch(watched);
    },
    processes: () => all.flatMap(({ process }) => (process ? [process] : [])),
    async end(role, signal) {
      const leaving = all.filter(({ member }) => member.role === role);
      for (const watched of leaving) {
        watched.isLeaving = true;
        watched.timer?.cancel();
        const { process } = watched;
        if (!process) continue;
        using handle = openProcess(process.pid, process.startTime);
        handle?.signal(signal);
      }
      while (leaving.some(({ process }) => process && isAlive(process))) {
        await sleep(clock, LEAVING_POLL_MS);
      }
    },
    [Symbol.dispose]() {
      closed = true;
      for (const { timer, starting } of all) {
        timer?.cancel();
        // Nobody will hear that it is ready, and it may be waiting for this very process.
        starting?.kill();
        if (starting?.connected) starting.disconnect();
        starting?.unref();
      }
    },
  };
}
