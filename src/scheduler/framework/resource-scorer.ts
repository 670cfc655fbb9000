import type { PluginContext, SlotScorer } from "./contract.ts";

/** A resource that counts, and how much. */
export interface ResourceWeight {
  name: string;
  weight: number;
}

/** One resource of one node as it would be with the pod on it. */
interface ResourcePart {
  allocatable: number;
  requested: number;
  weight: number;
}

/** A score of the first `count` parts. */
export type ResourceScore = (parts: readonly ResourcePart[], count: number) => number;

/** Resources that every node has; others count only for pods that ask for them. */
const NATIVE: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);

/**
 * Scores nodes by what is allocatable and requested. With `scored`, cpu and memory count
 * stand-ins for absent requests.
 */
export function resourceScorer(
  { state, profile }: PluginContext,
  of: { weights: readonly ResourceWeight[]; strategy: ResourceScore; scored: boolean },
): SlotScorer {
  const table = state.resources;
  const amounts = (name: string) =>
    (of.scored && (name === "cpu" || name === "memory") ? profile.scored : profile.requests).get(
      name,
    ) ?? 0;
  const parts = of.weights
    .map(({ name, weight }) => ({ name, weight, id: table.idOf(name), amount: amounts(name) }))
    .filter(({ name, amount }) => NATIVE.has(name) || amount > 0);
  const used = ({ name, id }: { name: string; id: number }) => {
    if (of.scored && name === "cpu") return table.scoredCpu;
    if (of.scored && name === "memory") return table.scoredMemory;
    return table.requested[id] as Float64Array;
  };
  const scratch = parts.map(({ weight, ...rest }) => ({
    ...rest,
    part: { allocatable: 0, requested: 0, weight },
  }));
  const partsOnly: ResourcePart[] = scratch.map(({ part }) => part);
  return {
    scoreOf(slot) {
      for (const { part, id, amount, name } of scratch) {
        part.allocatable = (table.allocatable[id] as Float64Array)[slot] as number;
        part.requested = (used({ name, id })[slot] as number) + amount;
      }
      return of.strategy(partsOnly, partsOnly.length);
    },
  };
}
