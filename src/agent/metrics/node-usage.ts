import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, uptime } from "node:os";
import { readLinkCounters } from "../link-counters.ts";
import type { NetworkCounters } from "../network/contract.ts";
import type { FileSystemUsage, NodeUsage, PodsUsage, Stall, StallFigures } from "./contract.ts";

/** Ticks of a clock in /proc/stat; 100 a second on every Linux that Node.js runs on. */
const TICK_NANOSECONDS = 1e7;
const NO_TRAFFIC: NetworkCounters = {
  receivedBytes: 0,
  receivedPackets: 0,
  receiveErrors: 0,
  receiveDrops: 0,
  sentBytes: 0,
  sentPackets: 0,
  sendErrors: 0,
  sendDrops: 0,
};

/** Where to look: directories on the file system of the pods, and on that of the images. */
export interface NodeReading {
  name: string;
  nowMs: number;
  directory: string;
  imageDirectory: string;
  pods?: () => PodsUsage | undefined;
}

/** Reads how much of the node is used. */
export function readNodeUsage(of: NodeReading): NodeUsage {
  const { name, nowMs, directory } = of;
  const memory = fieldsOf("/proc/meminfo");
  const events = fieldsOf("/proc/vmstat");
  const kib = (field: string) => (memory.get(field) ?? 0) * 1024;
  const total = kib("MemTotal");
  const used = total - kib("MemFree");
  const link = defaultLink();
  const [, busy = "0", all = "0"] = /(\d+)\/(\d+) \d+\n?$/.exec(read("/proc/loadavg")) ?? [];
  return {
    name,
    atMs: nowMs,
    bootMs: nowMs - uptime() * 1000,
    cpuCores: availableParallelism(),
    cpuNanoseconds: busyTicks(read("/proc/stat")) * TICK_NANOSECONDS,
    memoryBytes: used,
    workingSetBytes: Math.max(0, used - kib("Inactive(file)")),
    residentBytes: kib("AnonPages"),
    cacheBytes: kib("Cached"),
    swapBytes: kib("SwapTotal") - kib("SwapFree"),
    swapCapacityBytes: kib("SwapTotal"),
    pageFaults: events.get("pgfault") ?? 0,
    majorPageFaults: events.get("pgmajfault") ?? 0,
    memoryCapacityBytes: total,
    memoryAvailableBytes: kib("MemAvailable"),
    network: { name: link, ...(readLinkCounters().get(link) ?? NO_TRAFFIC) },
    fileSystem: fileSystemUsage(directory),
    imageFileSystem: fileSystemUsage(of.imageDirectory),
    stall: readStalls(),
    processesMax: Number(read("/proc/sys/kernel/pid_max")) || 32_768,
    processes: Number(all) || Number(busy),
    pods: of.pods?.(),
  };
}

/** How full the file system is that a directory lies on. */
export function fileSystemUsage(directory: string): FileSystemUsage {
  const { blocks, bsize, bavail, bfree, files, ffree } = statfsSync(directory);
  return {
    capacityBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    usedBytes: (blocks - bfree) * bsize,
    inodes: files,
    inodesFree: ffree,
  };
}

/** Pressure stall information. Source: the kernel's Documentation/accounting/psi.rst. */
function readStalls(): NodeUsage["stall"] {
  const [cpu, memory, io] = ["cpu", "memory", "io"].map((name) =>
    parseStall(read(`/proc/pressure/${name}`)),
  );
  return cpu && memory && io ? { cpu, memory, io } : undefined;
}

/** Parses a file of stall figures; undefined when it has none. */
export function parseStall(text: string): Stall | undefined {
  if (!text.startsWith("some ")) return undefined;
  const figures = (kind: string): StallFigures => {
    const line = text.split("\n").find((one) => one.startsWith(`${kind} `)) ?? "";
    const of = (name: string) => Number(new RegExp(`${name}=([0-9.]+)`).exec(line)?.[1] ?? 0);
    return { avg10: of("avg10"), avg60: of("avg60"), avg300: of("avg300"), totalUs: of("total") };
  };
  return { some: figures("some"), full: figures("full") };
}

/** Ticks in which a CPU did anything. Source: proc_stat(5). */
export function busyTicks(text: string): number {
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, soft = 0, stolen = 0] = (
    /^cpu +(.*)$/m.exec(text)?.[1] ?? ""
  )
    .split(" ")
    .map(Number);
  return user + nice + system + interrupts + soft + stolen;
}

/** The interface through which the node reaches the world. Source: proc_pid_net(5). */
function defaultLink(): string {
  const lines = read("/proc/self/net/route").split("\n").slice(1);
  const route = lines.map((line) => line.split("\t")).find(([, target]) => target === "00000000");
  return route?.[0] ?? "lo";
}

/** Numbers of lines "Name: 12 kB" or "name 12". */
function fieldsOf(file: string): Map<string, number> {
  return new Map(
    read(file)
      .split("\n")
      .map((line): [string, number] => {
        const [name = "", value = ""] = line.split(/:?\s+/);
        return [name, Number(value)];
      }),
  );
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
