import type { NodeScorer, PluginContext } from "./contract.ts";

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
): NodeScorer {
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
  const scoreOf = (slot: number) => {
    for (const { part, id, amount, name } of scratch) {
      part.allocatable = (table.allocatable[id] as Float64Array)[slot] as number;
      part.requested = (used({ name, id })[slot] as number) + amount;
    }
    return of.strategy(partsOnly, partsOnly.length);
  };
  const scratch = parts.map(({ weight, ...rest }) => ({
    ...rest,
    part: { allocatable: 0, requested: 0, weight },
  }));
  const partsOnly: ResourcePart[] = scratch.map(({ part }) => part);
  // A decision changes one node: of all others the score is known.
  let known = new Float64Array(0);
  let knownVersions = new Float64Array(0);
  return {
    addScores(_pod, slots, { count, weight, totals }) {
      const { versions } = table;
      if (known.length < versions.length) {
        known = new Float64Array(versions.length);
        knownVersions = new Float64Array(versions.length).fill(-1);
      }
      for (let at = 0; at < count; at++) {
        const slot = slots[at] as number;
        if (knownVersions[slot] !== versions[slot]) {
          known[slot] = scoreOf(slot);
          knownVersions[slot] = versions[slot] as number;
        }
        totals[at] = (totals[at] as number) + weight * (known[slot] as number);
      }
    },
  };
}
