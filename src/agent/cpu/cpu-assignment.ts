import type { CpuPlace, CpuTopology } from "./cpu-topology.ts";

/**
 * Picks CPUs that are near each other, in upstream's order: whole NUMA nodes and sockets, what is
 * larger first, whole cores, then single threads. Of several, that with the fewest CPUs left goes
 * first, so that as many as can be stay whole. Undefined when there are too few.
 */
export function takeCpus(
  topology: CpuTopology,
  { available, count }: { available: ReadonlySet<number>; count: number },
): number[] | undefined {
  let free = topology.filter(({ cpu }) => available.has(cpu));
  if (free.length < count) return undefined;
  const taken: CpuPlace[] = [];
  const take = (places: readonly CpuPlace[]) => {
    taken.push(...places);
    free = free.filter((place) => !places.includes(place));
  };
  const missing = () => count - taken.length;
  const levels = levelsOf(topology);
  for (const [at, keyOf] of levels.entries()) {
    const whole = sizesBy(topology, keyOf);
    for (const group of groupsBy(free, levels.slice(0, at + 1))) {
      const isWhole = group.length === whole.get(keyOf(group[0] as CpuPlace));
      if (isWhole && group.length <= missing()) take(group);
    }
  }
  const single = groupsBy(free, levels).flatMap((core) => core.toSorted((a, b) => a.cpu - b.cpu));
  take(single.slice(0, missing()));
  return taken.map(({ cpu }) => cpu).sort((a, b) => a - b);
}

type KeyOf = (place: CpuPlace) => number;

/** What CPUs lie in, from the outside: a node may hold sockets, or a socket nodes. */
function levelsOf(topology: CpuTopology): KeyOf[] {
  const firstOf = new Map<string, number>();
  for (const { cpu, core } of topology) firstOf.set(core, Math.min(cpu, firstOf.get(core) ?? cpu));
  const nodeOf: KeyOf = ({ node }) => node;
  const socketOf: KeyOf = ({ socket }) => socket;
  const coreOf: KeyOf = ({ core }) => firstOf.get(core) ?? 0;
  const nodesFirst = sizesBy(topology, socketOf).size >= sizesBy(topology, nodeOf).size;
  return [...(nodesFirst ? [nodeOf, socketOf] : [socketOf, nodeOf]), coreOf];
}

function sizesBy(places: CpuTopology, keyOf: KeyOf): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const place of places) sizes.set(keyOf(place), (sizes.get(keyOf(place)) ?? 0) + 1);
  return sizes;
}

/** Groups of the last level, ordered by each level in turn: smaller ones first, then by number. */
function groupsBy(places: CpuTopology, [keyOf, ...inner]: readonly KeyOf[]): CpuPlace[][] {
  if (!keyOf) return [[...places]];
  const groups = new Map<number, CpuPlace[]>();
  for (const place of places) {
    const group = groups.get(keyOf(place));
    if (group) group.push(place);
    else groups.set(keyOf(place), [place]);
  }
  return [...groups]
    .toSorted(([a, some], [b, others]) => some.length - others.length || a - b)
    .flatMap(([, group]) => groupsBy(group, inner));
}
