import type { CpuPlace, CpuTopology } from "./cpu-topology.ts";

/**
 * Picks CPUs that are near each other, in upstream's order: whole sockets, whole cores, then
 * single threads that fill up cores and sockets in use already. Undefined when there are too few.
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
  for (const keyOf of [socketOf, coreOf]) {
    const whole = sizesBy(topology, keyOf);
    for (const group of groupsBy(free, keyOf)) {
      const isWhole = group.length === whole.get(keyOf(group[0] as CpuPlace));
      if (isWhole && group.length <= missing()) take(group);
    }
  }
  const sockets = new Set(taken.map(socketOf));
  const perSocket = sizesBy(free, socketOf);
  const perCore = sizesBy(free, coreOf);
  const size = (sizes: ReadonlyMap<string | number, number>, key: string | number) =>
    sizes.get(key) ?? 0;
  const single = free.toSorted(
    (a, b) =>
      Number(sockets.has(b.socket)) - Number(sockets.has(a.socket)) ||
      size(perSocket, a.socket) - size(perSocket, b.socket) ||
      size(perCore, a.core) - size(perCore, b.core) ||
      a.socket - b.socket ||
      a.cpu - b.cpu,
  );
  take(single.slice(0, missing()));
  return taken.map(({ cpu }) => cpu).sort((a, b) => a - b);
}

type KeyOf = (place: CpuPlace) => string | number;

const socketOf = ({ socket }: CpuPlace): number => socket;
const coreOf = ({ core }: CpuPlace): string => core;

function sizesBy(places: CpuTopology, keyOf: KeyOf): Map<string | number, number> {
  const sizes = new Map<string | number, number>();
  for (const place of places) sizes.set(keyOf(place), (sizes.get(keyOf(place)) ?? 0) + 1);
  return sizes;
}

function groupsBy(places: CpuTopology, keyOf: KeyOf): CpuPlace[][] {
  const groups = new Map<string | number, CpuPlace[]>();
  for (const place of places.toSorted((a, b) => a.socket - b.socket || a.cpu - b.cpu)) {
    const group = groups.get(keyOf(place));
    if (group) group.push(place);
    else groups.set(keyOf(place), [place]);
  }
  return [...groups.values()];
}
