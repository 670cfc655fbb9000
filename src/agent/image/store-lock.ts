import { closeSync, openSync } from "node:fs";
import { type Clock, sleep } from "../../lib/clock.ts";
import { tryLock } from "../../sys/file.ts";

const RETRY_MS = 50;

/** Lets one change at a time happen to a directory, among all processes of the machine. */
export interface StoreLock {
  /** Waits for its turn. */
  run<T>(change: () => Promise<T>): Promise<T>;
  /** Runs `change` only if nobody else is at it. */
  tryRun(change: () => Promise<void>): Promise<void>;
}

/** A lock that the kernel releases when its holder dies. */
export function createStoreLock(file: string, clock: Clock): StoreLock {
  return {
    async run(change) {
      const fd = openSync(file, "a", 0o600);
      try {
        while (!tryLock(fd)) await sleep(clock, RETRY_MS);
        return await change();
      } finally {
        closeSync(fd);
      }
    },
    async tryRun(change) {
      const fd = openSync(file, "a", 0o600);
      try {
        if (tryLock(fd)) await change();
      } finally {
        closeSync(fd);
      }
    },
  };
}
