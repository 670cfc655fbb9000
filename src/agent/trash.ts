import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { reap, spawnProgram } from "../sys/posix-spawn.ts";

/**
 * Takes directories out of sight at once. What they hold is removed later by a process of its own:
 * file by file, that would take this thread milliseconds a pod. Disposing it waits for the end.
 */
export interface Trash extends AsyncDisposable {
  /** Nothing may be mounted below `directory`. Idempotent. */
  discard(directory: string): void;
}

/** Removals within this time share a process. */
const PAUSE_MS = 200;
/** A command line has an end; the rest comes next. */
const AT_ONCE_MAX = 500;
const NICE = "/usr/bin/nice";

/** `directory`, on one file system with all that is discarded, belongs to the trash alone. */
export function openTrash(
  directory: string,
  { clock, logger }: { clock: Clock; logger: Logger },
): Trash {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  /** What an earlier process left comes first. */
  let waiting = readdirSync(directory);
  let count = 0;
  let timer: Timer | undefined;
  let emptying: Promise<void> | undefined;

  const empty = async () => {
    while (waiting.length > 0) {
      const names = waiting.slice(0, AT_ONCE_MAX);
      waiting = waiting.slice(AT_ONCE_MAX);
      const pid = spawnProgram({
        file: NICE,
        args: ["rm", "-rf", "--one-file-system", "--", ...names],
        directory,
        env: { PATH: "/usr/bin:/bin" },
        descriptors: ["ignore", "ignore", "ignore"],
      });
      const exitCode = await reap(pid);
      if (exitCode !== 0) logger.warn("cannot empty the trash", { directory, exitCode });
    }
  };
  const begin = () => {
    timer?.cancel();
    timer = undefined;
    emptying ??= empty().finally(() => {
      emptying = undefined;
    });
    return emptying;
  };
  const schedule = () => {
    timer ??= clock.setTimer(PAUSE_MS, () => {
      timer = undefined;
      begin().catch((error: unknown) =>
        logger.warn("cannot empty the trash", { directory, error }),
      );
    });
  };
  if (waiting.length > 0) schedule();

  return {
    discard(unwanted) {
      const name = `${path.basename(unwanted)}.${clock.now()}.${count++}`;
      try {
        renameSync(unwanted, path.join(directory, name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
        rmSync(unwanted, { recursive: true, force: true });
        return;
      }
      waiting.push(name);
      schedule();
    },
    async [Symbol.asyncDispose]() {
      await emptying;
      await begin();
    },
  };
}
