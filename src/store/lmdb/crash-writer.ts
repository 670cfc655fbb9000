// Child process of the crash test: writes without end and tells what was acknowledged.
import { writeSync } from "node:fs";
import type { Clock } from "../../lib/clock.ts";
import { openLmdbStore } from "./lmdb-store.ts";

const WRITERS = 8;

/** Timers fire at once, so that the journal and the tree are written at the same time. */
const hastyClock: Clock = {
  now: () => 0,
  monotonicMs: () => 0,
  setTimer: (_delayMs, fire) => {
    const handle = setImmediate(fire);
    return { cancel: () => clearImmediate(handle) };
  },
};

const [directory = "", run = ""] = process.argv.slice(2);
const store = await openLmdbStore({ directory, clock: hastyClock });

async function writeForever(writer: number): Promise<void> {
  for (let i = 0; ; i++) {
    const key = `${run}/${writer}-${i}`;
    const created = await store.create("core/pods", key, Buffer.from(key.repeat(1 + (i % 60))));
    if (i % 4 === 1) await store.delete("core/pods", key, created.revision);
    // Synchronous: the kernel has the line before anything can end this process.
    writeSync(1, `${i % 4 === 1 ? "-" : "+"}${key}\n`);
    if (writer === 0 && i % 50 === 49) await store.compact(await store.revision());
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => writeForever(writer)));
