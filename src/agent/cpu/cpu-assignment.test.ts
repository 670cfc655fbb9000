import assert from "node:assert/strict";
import { test } from "node:test";
import { takeCpus } from "./cpu-assignment.ts";
import { formatCpuList, parseCpuList } from "./cpu-list.ts";
import type { CpuTopology } from "./cpu-topology.ts";

/** The facts of a kubelet's tables about which CPUs are assigned, on machines like theirs. */

function machine(cpus: number, cores: number, nodeOf: (core: number) => [number, number]) {
  return Array.from({ length: cpus }, (_, cpu) => {
    const [node, socket] = nodeOf(cpu % cores);
    return { cpu, core: `${socket}/${cpu % cores}`, socket, node };
  });
}

const ONE: CpuTopology = machine(8, 4, () => [0, 0]);
const TWO: CpuTopology = machine(12, 6, (core) => [core % 2, core % 2]);
/** Two NUMA nodes in each of two sockets. */
const FOUR: CpuTopology = machine(80, 40, (core) => [Math.floor(core / 10), core < 20 ? 0 : 1]);
/** Two sockets in each of two NUMA nodes. */
const WIDE: CpuTopology = machine(80, 40, (core) => [core < 20 ? 0 : 1, Math.floor(core / 10)]);

const ROWS: readonly [string, CpuTopology, string, number, string | undefined][] = [
  ["more than there are", ONE, "0,2,4,6", 5, undefined],
  ["none", ONE, "0-7", 0, ""],
  ["one", ONE, "0-7", 1, "0"],
  ["one of a core in use", ONE, "1,3,5-7", 1, "6"],
  ["a core", ONE, "0-7", 2, "0,4"],
  ["all", ONE, "0-7", 8, "0-7"],
  ["the only whole core", ONE, "0-3,6", 2, "2,6"],
  ["a socket", TWO, "0-11", 6, "0,2,4,6,8,10"],
  ["one of the socket with fewer left", TWO, "1-5,7-11", 1, "2"],
  ["a socket and a core of the other", TWO, "0-11", 8, "0-2,4,6-8,10"],
  ["a socket of two nodes", FOUR, "0-79", 40, "0-19,40-59"],
  ["a node", FOUR, "0-79", 20, "0-9,40-49"],
  ["the other node of a socket in use", FOUR, "10-39,50-79", 20, "10-19,50-59"],
  ["a socket and a node", FOUR, "0-79", 60, "0-29,40-69"],
  ["a socket and a node, a core taken", FOUR, "1-39,41-79", 60, "10-39,50-79"],
  ["three nodes and two cores", FOUR, "0-79", 64, "0-31,40-71"],
  ["a node of two sockets", WIDE, "0-79", 40, "0-19,40-59"],
  ["a socket of a node", WIDE, "0-79", 20, "0-9,40-49"],
  ["a node and a socket, a core taken", WIDE, "1-39,41-79", 60, "10-39,50-79"],
];

for (const [name, topology, free, count, wanted] of ROWS) {
  test(`CPUs that are taken: ${name}`, () => {
    const available = new Set(parseCpuList(free));
    const taken = takeCpus(topology, { available, count });
    assert.equal(taken && formatCpuList(taken), wanted);
  });
}
