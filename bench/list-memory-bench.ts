// Lists many ConfigMaps with several clients at once and tells how much memory the server takes for it:
//   node build/bench/list-memory-bench.js --kubeconfig FILE --pid PID [--objects 10000] [--clients 10]
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { BenchTarget, expect, fillMaps } from "./bench-target.ts";
import { interruptible } from "./interruptible.ts";

const FILLERS = 32;
/** In proc_pid_clear_refs(5): the most that was resident begins anew. */
const RESET_PEAK = "5";

/** How much to do. */
export interface ListMemoryOptions {
  target: HttpsTransportOptions;
  /** Processes of the server. */
  pids: readonly number[];
  objects: number;
  /** Clients that list at the same time. */
  clients: number;
  /** How often each of them lists. */
  rounds: number;
}

/** Resident memory of the server in MiB, the files that it maps included. */
export interface ListMemoryFigures {
  /** With the objects there, before anybody lists them. */
  beforeMiB: number;
  /** At most, while they are listed. */
  peakMiB: number;
}

/** Measures what lists take beside the objects; leaves nothing behind. */
export async function benchListMemory(options: ListMemoryOptions): Promise<ListMemoryFigures> {
  const { target, clients } = options;
  const namespace = "nephos-list-memory";
  await using fillers = await BenchTarget.open(target, { clients: FILLERS, namespace });
  await using readers = await BenchTarget.open(target, { clients, namespace });
  return await interruptible(() => measure({ fillers, readers }, options));
}

async function measure(
  { fillers, readers }: Record<"fillers" | "readers", BenchTarget>,
  { pids, objects, rounds }: ListMemoryOptions,
): Promise<ListMemoryFigures> {
  await fillMaps(fillers, objects);
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK);
  const beforeMiB = sum(pids, residentMiB);
  await Promise.all(
    readers.connections.map(async (reader) => {
      for (let round = 0; round < rounds; round++) {
        expect(await reader.send("GET", readers.maps), 200);
      }
    }),
  );
  return { beforeMiB, peakMiB: sum(pids, peakMiB) };
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.map(of).reduce((total, one) => total + one, 0);
}

/** Memory that a process has now, from proc_pid_status(5). */
function residentMiB(pid: number): number {
  return statusMiB(pid, "VmRSS");
}

/** Most memory that a process had since its peak was reset, or ever. */
export function peakMiB(pid: number): number {
  return statusMiB(pid, "VmHWM");
}

function statusMiB(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1_024);
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: "string", default: process.env["KUBECONFIG"] ?? "kubeconfig" },
      pid: { type: "string" },
      objects: { type: "string", default: "10000" },
      clients: { type: "string", default: "10" },
    },
  });
  if (!values.pid) throw new Error("Cannot measure memory: give --pid of the server");
  const directory = path.dirname(values.kubeconfig);
  const figures = await benchListMemory({
    target: loadKubeconfig(readFileSync(values.kubeconfig, "utf8"), { directory }),
    pids: [Number(values.pid)],
    objects: Number(values.objects),
    clients: Number(values.clients),
    rounds: 5,
  });
  console.log(JSON.stringify(figures));
}
