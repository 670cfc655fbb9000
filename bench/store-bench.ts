// Measures a durable store on this disk. Small by default; `--large` for figures to publish,
// `--directory D` for another disk.
import { percentile, round } from "./figures.ts";
import { constants, open } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { makeScratchDirectory } from "../scripts/scratch-directory.ts";
import { openLmdbStore } from "../src/store/lmdb/lmdb-store.ts";
import type { Store } from "../src/store/store.ts";
import { systemClock } from "../src/sys/clock.ts";
import { interruptible } from "./interruptible.ts";

/** What was measured; times in milliseconds. */
export interface StoreFigures {
  /** One write of the same size to a preallocated file, opened with O_DSYNC, awaited. */
  bareDiskWriteP50Ms: number;
  loneCreateP50Ms: number;
  loneCreateP99Ms: number;
  loneUpdateP50Ms: number;
  concurrentCreatesPerSecond: number;
  concurrentUpdatesPerSecond: number;
  getsPerSecond: number;
  listOf5000Ms: number;
  rssMiB: number;
}

const BODY = Buffer.alloc(1_500, "x");
const WRITERS = 32;

/** Runs the benchmark in `directory`, with about `count` operations of each kind. */
export async function benchStore(directory: string, count: number): Promise<StoreFigures> {
  const bare = await timesOfBareWrites(directory, count);
  await using store = await openLmdbStore({ directory, clock: systemClock });
  const lone = await timesOf(count, (i) => store.create("core/pods", `lone/${i}`, BODY));
  const loneUpdates = await timesOf(count, () => rewrite(store, "lone/0"));
  const creates = await perSecond(count * 8, (i) => store.create("core/pods", `many/${i}`, BODY));
  const updates = await perSecond(count * 8, (_i, writer) => rewrite(store, `many/${writer}`));
  const gets = await perSecond(count * 8, (i) => store.get("core/pods", `many/${i}`));
  const startMs = performance.now();
  await store.list("core/pods", { prefix: "many/", limit: 5_000 });
  return {
    bareDiskWriteP50Ms: percentile(bare, 0.5),
    loneCreateP50Ms: percentile(lone, 0.5),
    loneCreateP99Ms: percentile(lone, 0.99),
    loneUpdateP50Ms: percentile(loneUpdates, 0.5),
    concurrentCreatesPerSecond: creates,
    concurrentUpdatesPerSecond: updates,
    getsPerSecond: gets,
    listOf5000Ms: round(performance.now() - startMs),
    rssMiB: round(process.memoryUsage.rss() / 2 ** 20),
  };
}

async function rewrite(store: Store, key: string): Promise<unknown> {
  const current = await store.getForUpdate("core/pods", key);
  return store.update("core/pods", key, {
    bytes: BODY,
    expectedRevision: current?.revision ?? 0,
  });
}

async function timesOfBareWrites(directory: string, count: number): Promise<number[]> {
  const { O_RDWR, O_CREAT, O_DSYNC } = constants;
  const file = await open(path.join(directory, "bare"), O_RDWR | O_CREAT | O_DSYNC);
  await file.write(Buffer.alloc(BODY.length * count), 0, undefined, 0);
  const times = await timesOf(count, (i) => file.write(BODY, 0, BODY.length, i * BODY.length));
  await file.close();
  return times;
}

async function timesOf(count: number, run: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    await run(i);
    times.push(performance.now() - startMs);
  }
  return times;
}

async function perSecond(
  count: number,
  run: (i: number, writer: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const startMs = performance.now();
  const work = async (writer: number) => {
    for (let i = next++; i < count; i = next++) await run(i, writer);
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => work(writer)));
  return Math.round((count / (performance.now() - startMs)) * 1_000);
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { large: { type: "boolean" }, directory: { type: "string" } },
  });
  using directory = makeScratchDirectory("nephos-bench", values.directory);
  const count = values.large ? 4_000 : 400;
  const figures = await interruptible(() => benchStore(directory.path, count));
  console.log(JSON.stringify(figures, null, 2));
}
