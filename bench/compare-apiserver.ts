// Puts the same load on our API server and on kube-apiserver 1.20 with etcd, one after the other in one
// run on one machine, and prints both:
//   node build/bench/compare-apiserver.js [--seconds 5] [--objects 5000] [--clients 32] [-o json]
import { parseArgs } from "node:util";
import {
  kubeApiServerSkip,
  startKubeApiServer,
  WITHOUT_RATE_LIMITS,
} from "../test/peers/kube-apiserver.ts";
import { startNephosApiServer } from "../test/peers/nephos-apiserver.ts";
import type { ServerUnderTest } from "../test/peers/server-under-test.ts";
import { runsOnShipped } from "./as-shipped.ts";
import { benchApi } from "./api-bench.ts";
import { type Comparison, comparisonTable } from "./compare-table.ts";
import { within } from "./deadline.ts";
import { memoryOf } from "./idle-memory.ts";
import { benchLists } from "./list-bench.ts";
import { benchListMemory, peakMiB } from "./list-memory-bench.ts";
import { interruptible } from "./interruptible.ts";

/** How much to do. */
export interface CompareOptions {
  /** Clients that create, get and patch at the same time. */
  clients: number;
  /** Objects that are listed. */
  objects: number;
  /** Clients that list at the same time. */
  listers: number;
  watchers: number;
  /** Writes that the watchers see before those that count. */
  warmUpWrites: number;
  /** Writes that the watchers see. */
  writes: number;
  /** For how long each request is repeated. */
  seconds: number;
  warmUpSeconds: number;
}

/** Figures of one server, by what was measured. */
export type ServerFigures = Record<string, number>;

const STEP_MS = 150_000;
const FULL: CompareOptions = {
  clients: 32,
  objects: 5_000,
  listers: 4,
  watchers: 50,
  warmUpWrites: 2_000,
  writes: 2_000,
  seconds: 5,
  warmUpSeconds: 1,
};

/** What is compared, in the order of the table; `bar` is what the ratio should reach. */
const ROWS: readonly Comparison[] = [
  { name: "create", unit: "per s", better: "more", bar: 3 },
  { name: "get", unit: "per s", better: "more", bar: 3 },
  { name: "patch", unit: "per s", better: "more", bar: 5 },
  { name: "list of all", unit: "per s", better: "more", bar: 10 },
  { name: "list by label, 1 in 10", unit: "per s", better: "more", bar: 10 },
  { name: "write to a watcher, p50", unit: "ms", better: "less" },
  { name: "write to a watcher, p99", unit: "ms", better: "less" },
  { name: "resident after the load", unit: "MiB", better: "less" },
  { name: "of that, anonymous", unit: "MiB", better: "less" },
  { name: "resident at most", unit: "MiB", better: "less" },
  { name: "at most, 10 clients list 10,000", unit: "MiB", better: "less" },
];

/** Puts the load on one server. @throws Error that names the step which failed or never ended */
export async function benchServer(
  { name, target, pids }: ServerUnderTest,
  options: CompareOptions,
): Promise<ServerFigures> {
  const { clients, objects, listers, watchers, warmUpWrites, writes, seconds, warmUpSeconds } =
    options;
  const step = <T>(what: string, work: Promise<T>) =>
    within(work, { ms: STEP_MS, what: `${what} on ${name}` });
  const api = await step("requests", benchApi({ target, clients, seconds, warmUpSeconds }));
  const lists = await step(
    "lists",
    benchLists({ target, objects, clients: listers, watchers, warmUpWrites, writes, seconds }),
  );
  const all = Object.values(pids);
  const { rssMiB, pssAnonymousMiB } = memoryOf(all);
  const mostMiB = all.map(peakMiB).reduce((sum, one) => sum + one, 0);
  const memory = await step(
    "memory of lists",
    benchListMemory({ target, pids: all, objects: objects * 2, clients: 10, rounds: 2 }),
  );
  return {
    create: api.create.perSecond,
    get: api.get.perSecond,
    patch: api.patch.perSecond,
    "list of all": lists.list.perSecond,
    "list by label, 1 in 10": lists.byLabel.perSecond,
    "write to a watcher, p50": lists.watch.p50Ms,
    "write to a watcher, p99": lists.watch.p99Ms,
    "resident after the load": rssMiB,
    "of that, anonymous": pssAnonymousMiB,
    "resident at most": mostMiB,
    "at most, 10 clients list 10,000": memory.peakMiB,
  };
}

async function benchAndStop(
  starting: Promise<ServerUnderTest>,
  options: CompareOptions,
): Promise<{ name: string; figures: ServerFigures }> {
  await using server = await starting;
  console.error(`measuring ${server.name} ...`);
  return { name: server.name, figures: await benchServer(server, options) };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      clients: { type: "string", default: `${FULL.clients}` },
      objects: { type: "string", default: `${FULL.objects}` },
      seconds: { type: "string", default: `${FULL.seconds}` },
      output: { type: "string", short: "o", default: "table" },
    },
  });
  const skip = kubeApiServerSkip();
  if (skip) {
    console.error(`Cannot compare: ${skip}`);
    return 1;
  }
  const sizes = {
    clients: Number(values.clients),
    objects: Number(values.objects),
    seconds: Number(values.seconds),
  };
  const options = { ...FULL, ...sizes };
  const ours = await benchAndStop(startNephosApiServer(), options);
  const theirs = await benchAndStop(startKubeApiServer({ flags: WITHOUT_RATE_LIMITS }), options);
  console.log(
    values.output === "json"
      ? JSON.stringify([ours, theirs], null, 2)
      : comparisonTable(ROWS, [ours, theirs]),
  );
  return 0;
}

/** The client's own collections are not what is measured: with room they are few. */
const CLIENT_FLAGS = ["--min-semi-space-size=64", "--max-semi-space-size=64"];

if (process.argv[1] === import.meta.filename && runsOnShipped(CLIENT_FLAGS))
  process.exitCode = await interruptible(main);
