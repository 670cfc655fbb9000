import type { TopologyPolicy } from "./contract.ts";
import type { CpuTopology } from "./cpu-topology.ts";

/** NUMA nodes that would do; all of them when undefined. */
export interface TopologyHint {
  nodes: readonly number[] | undefined;
  /** No smaller set of nodes would do. */
  preferred: boolean;
}

/** Sets of nodes that have enough CPUs left; the smallest that ever could do are preferred. */
export function cpuHints(
  topology: CpuTopology,
  { available, count }: { available: ReadonlySet<number>; count: number },
): TopologyHint[] {
  const sets = subsets(nodesOf(topology));
  const sizeOf = (nodes: readonly number[], which: (cpu: number) => boolean) =>
    topology.filter(({ cpu, node }) => nodes.includes(node) && which(cpu)).length;
  const least = Math.min(
    ...sets.filter((nodes) => sizeOf(nodes, () => true) >= count).map((nodes) => nodes.length),
  );
  return sets
    .filter((nodes) => sizeOf(nodes, (cpu) => available.has(cpu)) >= count)
    .map((nodes) => ({ nodes, preferred: nodes.length === least }));
}

/**
 * What the hints of all resources have in common, and whether a pod may run with that. A resource
 * without a wish has no entry; one that cannot be had has an empty list.
 */
export function mergeHints(
  policy: TopologyPolicy,
  { nodes, hints }: { nodes: readonly number[]; hints: readonly (readonly TopologyHint[])[] },
): { hint: TopologyHint; admitted: boolean } {
  if (policy === "none") return { hint: { nodes: undefined, preferred: true }, admitted: true };
  const single = policy === "single-numa-node";
  const lists = hints.map((list) => {
    if (list.length === 0) return [{ nodes: undefined, preferred: false }];
    if (!single) return list;
    return list.filter(
      (one) => one.preferred && (one.nodes === undefined || one.nodes.length === 1),
    );
  });
  let best: TopologyHint = { nodes, preferred: false };
  for (const choice of choices(lists)) {
    const common = nodes.filter((node) => choice.every((one) => one.nodes?.includes(node) ?? true));
    if (common.length === 0) continue;
    const merged = { nodes: common, preferred: choice.every(({ preferred }) => preferred) };
    if (isBetter(merged, best)) best = merged;
  }
  return { hint: best, admitted: policy === "best-effort" || best.preferred };
}

function isBetter(one: TopologyHint, than: TopologyHint): boolean {
  if (one.preferred !== than.preferred) return one.preferred;
  return (one.nodes?.length ?? Infinity) < (than.nodes?.length ?? Infinity);
}

/** NUMA nodes in their order. */
export function nodesOf(topology: CpuTopology): number[] {
  return [...new Set(topology.map(({ node }) => node))].sort((a, b) => a - b);
}

/** All that are not empty, smaller ones first. A machine has few nodes. */
function subsets(nodes: readonly number[]): number[][] {
  const all = Array.from({ length: 2 ** nodes.length - 1 }, (_, at) =>
    nodes.filter((_node, bit) => ((at + 1) >> bit) & 1),
  );
  return all.toSorted((a, b) => a.length - b.length);
}

/** One hint of each list, in every combination. */
function choices(lists: readonly (readonly TopologyHint[])[]): TopologyHint[][] {
  return lists.reduce<TopologyHint[][]>(
    (sofar, list) => sofar.flatMap((chosen) => list.map((one) => [...chosen, one])),
    [[]],
  );
}
