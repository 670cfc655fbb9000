import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseCpuList } from "./cpu-list.ts";

/** Where a CPU (a hardware thread) is. */
export interface CpuPlace {
  cpu: number;
  /** Unique on the machine: "socket/core". */
  core: string;
  socket: number;
  /** NUMA node. */
  node: number;
}

/** All CPUs of a machine, in their order. */
export type CpuTopology = readonly CpuPlace[];

/** Reads where the online CPUs are; without facts, each is a core of one socket. */
export function readCpuTopology(root = "/sys/devices/system"): CpuTopology {
  const nodes = new Map<number, number>();
  for (const name of namesIn(path.join(root, "node"))) {
    const node = /^node(\d+)$/.exec(name)?.[1];
    if (node === undefined) continue;
    const list = readText(path.join(root, "node", name, "cpulist"));
    for (const cpu of parseCpuList(list)) nodes.set(cpu, Number(node));
  }
  return parseCpuList(readText(path.join(root, "cpu/online"))).map((cpu) => {
    const fact = (name: string) => readText(path.join(root, `cpu/cpu${cpu}/topology/${name}`));
    const socket = Math.max(0, Number(fact("physical_package_id") || 0));
    const core = `${socket}/${fact("core_id") || cpu}`;
    return { cpu, core, socket, node: nodes.get(cpu) ?? 0 };
  });
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
