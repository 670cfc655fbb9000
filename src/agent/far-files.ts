import type { Clock, Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { createSemaphore, type Semaphore } from "../lib/semaphore.ts";
import { type PipedChild, spawnPiped } from "../sys/child.ts";
import { farMountOf } from "../sys/far-mount.ts";
import type { MountEntry } from "../sys/mount.ts";
import {
  type FarJob,
  type FarProcess,
  type FarUsage,
  NoAnswerError,
  startFarProcess,
} from "./far-process.ts";

/**
 * Works on files of mounts that may never answer, in processes beside this one: a server that is
 * gone takes no thread of the agent with it, and one mount none of the others.
 */
export interface FarFiles extends Disposable {
  /** The mount that a path leads to, links followed, if it may never answer; it is not asked. */
  mountOf(file: string): MountEntry | undefined;
  /**
   * Does a job whose files lie on such a mount, after those that came before for the same mount.
   * @throws MountHungError; FarJobError with the name and code of what the job threw
   */
  perform(job: FarJob, options: FarJobOptions): Promise<FarUsage | undefined>;
  /** Called when a mount that had not answered does, or is gone. */
  onAnswer(handler: () => void): Disposable;
}

/** Which mount a job may hang on, and who gives up on it. */
export interface FarJobOptions {
  mount: MountEntry;
  signal?: AbortSignal;
}

/** A mount does not answer; the message says which, and what to do. */
export class MountHungError extends Error {
  override readonly name = "MountHungError";
}

/** A mount that somebody asks, or that hangs. */
interface Asked {
  /** One job at a time: what hangs is known before the next one does. */
  readonly turns: Semaphore;
  jobs: number;
  process?: FarProcess | undefined;
  idle?: Timer;
  /** Waits for an answer as long as there is none. */
  watch?: PipedChild | undefined;
}

/** As long as a server may take that is only slow, or restarts. */
const DEADLINE_MS = 10_000;
const IDLE_MS = 2_000;
/** Each takes as much memory as a small program in Node.js. */
const AT_ONCE_MAX = 8;
const STAT = "/usr/bin/stat";

/** Nothing runs as long as nobody uses such a mount. */
export function createFarFiles({ clock, logger }: { clock: Clock; logger: Logger }): FarFiles {
  const known = new Map<string, Asked>();
  const handlers = new Set<() => void>();
  const slots = createSemaphore(AT_ONCE_MAX);
  let disposed = false;

  const rest = (key: string, asked: Asked) => {
    asked.idle?.cancel();
    if (asked.jobs > 0 || disposed) return;
    asked.idle = clock.setTimer(IDLE_MS, () => {
      asked.process?.[Symbol.dispose]();
      asked.process = undefined;
      if (!asked.watch) known.delete(key);
    });
  };

  /** Asks once more, however long it takes; its end is the answer, whatever it says. */
  const watch = (mount: MountEntry, { key, asked }: { key: string; asked: Asked }) => {
    const { target } = mount;
    logger.error("a file system does not answer", { target, type: mount.type });
    const none = { stdin: false, stdout: false, stderr: false };
    const child = spawnPiped([STAT, "-L", "--", target], none);
    asked.watch = child;
    const end = () => {
      if (asked.watch !== child) return;
      asked.watch = undefined;
      logger.info("a file system answers again", { target, type: mount.type });
      rest(key, asked);
      for (const handler of handlers) handler();
    };
    child.exit.then(end, end);
  };

  const processOf = (asked: Asked): FarProcess => {
    if (asked.process) return asked.process;
    const started = startFarProcess(clock);
    asked.process = started;
    void started.ended.then(() => {
      if (asked.process === started) asked.process = undefined;
    });
    return started;
  };

  const take = async (
    job: FarJob,
    { mount, signal, key, asked }: FarJobOptions & { key: string; asked: Asked },
  ): Promise<FarUsage | undefined> => {
    using _turn = await asked.turns.acquire(signal);
    using _slot = await slots.acquire(signal);
    signal?.throwIfAborted();
    if (asked.watch || disposed) throw hungError(mount);
    const process = processOf(asked);
    const giveUp = () => process[Symbol.dispose]();
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      return await process.perform(job, DEADLINE_MS);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof NoAnswerError)) throw error;
      // What it would still do comes too late.
      giveUp();
      asked.process = undefined;
      watch(mount, { key, asked });
      throw hungError(mount);
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  };

  return {
    mountOf: (file) => farMountOf(file),
    async perform(job, options) {
      const { mount } = options;
      if (disposed) throw hungError(mount);
      const key = `${mount.id} ${mount.target}`;
      const asked = known.get(key) ?? { turns: createSemaphore(1), jobs: 0 };
      known.set(key, asked);
      if (asked.watch) throw hungError(mount);
      asked.jobs++;
      asked.idle?.cancel();
      try {
        return await take(job, { ...options, key, asked });
      } finally {
        asked.jobs--;
        rest(key, asked);
      }
    },
    onAnswer(handler) {
      handlers.add(handler);
      return { [Symbol.dispose]: () => void handlers.delete(handler) };
    },
    [Symbol.dispose]() {
      disposed = true;
      handlers.clear();
      for (const { process, watch: watching, idle } of known.values()) {
        idle?.cancel();
        process?.[Symbol.dispose]();
        watching?.kill();
      }
      known.clear();
    },
  };
}

function hungError({ target, type, source }: MountEntry): MountHungError {
  return new MountHungError(
    `the file system that is mounted at "${target}" (${type} of ${source}) does not answer: bring ` +
      `back what serves it, or take it away with: umount --lazy ${target}`,
  );
}
