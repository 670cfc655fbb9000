import {
  createReadStream,
  createWriteStream,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { compressedPath, rotatedLogs, rotatedPath } from "../log-files.ts";
import type { ContainerRuntime } from "../runtime/contract.ts";
import { messageOf } from "./pod-failure.ts";

/** How much of a container's output is kept. */
export interface LogLimits {
  /** A log that is as long is put aside; `Infinity` for never. */
  maxBytes: number;
  /** Parts of a log, with the one that is being written; at least 2. */
  maxFiles: number;
  /** Between two looks at all of them. */
  everyMs: number;
}

const UNFINISHED = ".tmp";

/** What rotation needs. */
export interface LogRotationOptions {
  runtime: ContainerRuntime;
  clock: Clock;
  logger: Logger;
  limits: LogLimits;
}

/** Keeps the logs of running containers within their limits, until disposed. */
export function startLogRotation(options: LogRotationOptions): AsyncDisposable {
  const { runtime, clock, logger, limits } = options;
  let timer: Timer;
  let disposed = false;
  let round = Promise.resolve();
  const rotateAll = async () => {
    for (const { id, state, logPath, name } of runtime.containers()) {
      if (state !== "running") continue;
      try {
        const sizeBytes = sizeOf(logPath);
        if (sizeBytes === undefined) await runtime.reopenLog(id);
        else if (sizeBytes >= limits.maxBytes) await rotateLog({ id, logPath }, options);
      } catch (error) {
        logger.warn("cannot rotate a log", { container: name, error: messageOf(error) });
      }
    }
    if (!disposed) again();
  };
  const again = () => {
    timer = clock.setTimer(limits.everyMs, () => {
      round = rotateAll();
    });
  };
  again();
  return {
    async [Symbol.asyncDispose]() {
      disposed = true;
      timer.cancel();
      await round;
    },
  };
}

/** Puts the log aside and goes on in a new file. After a crash in between, it can be done again. */
export async function rotateLog(
  { id, logPath }: { id: string; logPath: string },
  { runtime, clock, limits }: Omit<LogRotationOptions, "logger">,
): Promise<void> {
  removeUnfinished(logPath);
  const parts = rotatedLogs(logPath);
  // The new part and the new log need room.
  const surplus = parts.splice(0, Math.max(0, parts.length - (limits.maxFiles - 2)));
  for (const part of surplus) rmSync(part.path, { force: true });
  // The newest part stays readable as it is, for those that follow the log.
  for (const part of parts) if (!part.compressed) await compress(part.path);
  const aside = rotatedPath(logPath, clock.now());
  renameSync(logPath, aside);
  try {
    await runtime.reopenLog(id);
  } catch (error) {
    // The monitor may have made the new file after all; what it holds must not be lost.
    if (!sizeOf(logPath)) renameSync(aside, logPath);
    throw error;
  }
}

/** Removes a log with all its parts. */
export function removeLog(logPath: string): void {
  for (const part of rotatedLogs(logPath)) rmSync(part.path, { force: true });
  removeUnfinished(logPath);
  rmSync(logPath, { force: true });
}

/** What was being compressed when the agent died; the part itself is there still. */
function removeUnfinished(logPath: string): void {
  const directory = path.dirname(logPath);
  const begin = `${path.basename(logPath)}.`;
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    if (name.startsWith(begin) && name.endsWith(UNFINISHED)) rmSync(path.join(directory, name));
  }
}

/** A crash leaves the part as it was: the compressed form appears complete. */
async function compress(part: string): Promise<void> {
  const target = compressedPath(part);
  const temporary = target + UNFINISHED;
  await pipeline(
    createReadStream(part),
    createGzip(),
    createWriteStream(temporary, { mode: 0o640 }),
  );
  renameSync(temporary, target);
  rmSync(part);
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}
