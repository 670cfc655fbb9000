// Lists many ConfigMaps, whole and by label, and follows writes with many watchers:
//   node build/bench/list-bench.js --kubeconfig FILE [--objects 5000] [--watchers 50] [--seconds 5]
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { runsOnShipped } from "./as-shipped.ts";
import {
  BenchTarget,
  expect,
  fillMaps,
  percentilesOf,
  type RequestFigures,
} from "./bench-target.ts";
import { Cleanup } from "../src/lib/cleanup.ts";
import { within } from "./deadline.ts";
import { LeanConnection } from "./lean-http-client.ts";
import { interruptible } from "./interruptible.ts";

const FILLERS = 32;
const EVENT_PATIENCE_MS = 10_000;

/** How much to do. */
export interface ListBenchOptions {
  target: HttpsTransportOptions;
  objects: number;
  /** Clients that list at the same time. */
  clients: number;
  watchers: number;
  /** Writes that come first and are not counted: code and connections are new for two seconds. */
  warmUpWrites: number;
  /** Writes that the watchers see, one after another; a p99 of few of them rests on one or two. */
  writes: number;
  seconds: number;
}

/** What was measured. */
export interface ListFigures {
  list: RequestFigures & { sizeBytes: number };
  byLabel: RequestFigures;
  /** From the sending of a write to its arrival at each of the watchers. */
  watch: { p50Ms: number; p99Ms: number };
}

/** Measures lists, selections and watches one after another; leaves nothing behind. */
export async function benchLists(options: ListBenchOptions): Promise<ListFigures> {
  const { target, clients } = options;
  const namespace = "nephos-list-bench";
  await using fillers = await BenchTarget.open(target, { clients: FILLERS, namespace });
  await using readers = await BenchTarget.open(target, { clients, namespace });
  return await interruptible(() => measure({ fillers, readers }, options));
}

async function measure(
  { fillers, readers }: Record<"fillers" | "readers", BenchTarget>,
  options: ListBenchOptions,
): Promise<ListFigures> {
  const { objects, seconds } = options;
  await fillMaps(fillers, objects);
  const { bodyBytes: sizeBytes } = await readers.first.send("GET", readers.maps);
  const list = await readers.measure(seconds, (reader) => reader.send("GET", readers.maps));
  const byLabel = await readers.measure(seconds, (reader) =>
    reader.send("GET", `${readers.maps}?labelSelector=part%3D3`),
  );
  const watch = await benchWatch(fillers, options);
  return { list: { ...list, sizeBytes }, byLabel, watch };
}

async function benchWatch(
  { first, maps }: BenchTarget,
  { target, watchers, warmUpWrites, writes }: ListBenchOptions,
): Promise<ListFigures["watch"]> {
  const times: number[] = [];
  let sentMs = 0;
  let arrived = 0;
  let allArrived = () => {};
  let stamp = "not sent yet";
  const onLines = (lines: string) => {
    const nowMs = performance.now();
    // Each watcher waits for those before it: to look for the stamp costs less than to read one.
    if (!lines.includes(stamp)) return;
    times.push(nowMs - sentMs);
    if (++arrived === watchers) allArrived();
  };
  await using watching = new Cleanup();
  const path = `${maps}?watch=1&fieldSelector=metadata.name%3Dlist-0`;
  for (let i = 0; i < watchers; i++) {
    const watcher = watching.use(await LeanConnection.open(target));
    await watcher.watch(path, onLines);
  }
  const contentType = "application/merge-patch+json";
  for (let i = -warmUpWrites; i < writes; i++) {
    if (i === 0) times.length = 0;
    arrived = 0;
    const received = new Promise<void>((resolve) => (allArrived = resolve));
    sentMs = performance.now();
    stamp = `"stamp":"${sentMs}"`;
    const body = `{"data":{${stamp},"value":null}}`;
    expect(await first.send("PATCH", `${maps}/list-0`, { body, contentType }), 200);
    await within(received, { ms: EVENT_PATIENCE_MS, what: `an event to ${watchers} watchers` });
  }
  return percentilesOf(times);
}

if (process.argv[1] === import.meta.filename && runsOnShipped()) {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: "string", default: process.env["KUBECONFIG"] ?? "kubeconfig" },
      objects: { type: "string", default: "5000" },
      clients: { type: "string", default: "4" },
      watchers: { type: "string", default: "50" },
      seconds: { type: "string", default: "5" },
    },
  });
  const directory = path.dirname(values.kubeconfig);
  const target = loadKubeconfig(readFileSync(values.kubeconfig, "utf8"), { directory });
  const figures = await benchLists({
    target,
    objects: Number(values.objects),
    clients: Number(values.clients),
    watchers: Number(values.watchers),
    warmUpWrites: 2_000,
    writes: 2_000,
    seconds: Number(values.seconds),
  });
  console.log(JSON.stringify(figures, null, 2));
}
