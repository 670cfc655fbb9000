import type { Random } from "../lib/random.ts";
import type { ClusterState, NodeEntry } from "./cluster-state.ts";
import { type FilterName, filtersFor } from "./filters.ts";
import type { PodProfile } from "./pod-profile.ts";
import { scoreSlots } from "./scores.ts";

/** Where a pod goes, or why it can go nowhere. */
export type Decision =
  | { node: string; score: number }
  | {
      node: undefined;
      nodesTotal: number;
      /** Reason to number of nodes that gave it. */
      reasons: ReadonlyMap<string, number>;
      rejectedBy: ReadonlySet<FilterName>;
    };

/** Below this many nodes every one is looked at. */
const FULL_SCAN_NODES = 1000;

/** How many feasible nodes are enough to choose among: upstream's share, 50 % falling to 5 %. */
export function enoughFeasible(nodesTotal: number): number {
  if (nodesTotal < FULL_SCAN_NODES) return nodesTotal;
  const percent = Math.max(5, 50 - Math.floor(nodesTotal / 125));
  return Math.max(100, Math.floor((nodesTotal * percent) / 100));
}

/**
 * Decides for one pod. Reads the state and changes nothing; equal state, pod and randomness give
 * an equal decision.
 */
export function schedule(state: ClusterState, pod: PodProfile, random: Random): Decision {
  const { live } = state;
  const filters = filtersFor(state, pod);
  const enough = enoughFeasible(live.length);
  const start = enough < live.length ? Math.floor(random.float() * live.length) : 0;
  const feasible: number[] = [];
  const reasons = new Map<string, number>();
  const rejectedBy = new Set<FilterName>();
  for (let step = 0; step < live.length && feasible.length < enough; step++) {
    const slot = live[(start + step) % live.length] as number;
    let fits = true;
    for (const filter of filters) {
      const failed = filter.test(slot);
      if (!failed) continue;
      for (const reason of failed) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      rejectedBy.add(filter.name);
      fits = false;
      break;
    }
    if (fits) feasible.push(slot);
  }
  if (feasible.length === 0) {
    return { node: undefined, nodesTotal: live.length, reasons, rejectedBy };
  }
  return pick(state, { feasible, scores: scoresOf(state, { pod, feasible }), random });
}

function scoresOf(
  state: ClusterState,
  { pod, feasible }: { pod: PodProfile; feasible: readonly number[] },
): number[] {
  return feasible.length === 1 ? [0] : scoreSlots(state, pod, feasible);
}

/** The best slot; among equals each has the same chance. */
function pick(
  state: ClusterState,
  of: { feasible: readonly number[]; scores: readonly number[]; random: Random },
): Decision {
  const score = Math.max(...of.scores);
  const best = of.feasible.filter((_, at) => of.scores[at] === score);
  const slot = best[best.length === 1 ? 0 : Math.floor(of.random.float() * best.length)] as number;
  return { node: (state.nodes[slot] as NodeEntry).name, score };
}

/** `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.` */
export function failureMessage(decision: Extract<Decision, { node: undefined }>): string {
  if (decision.nodesTotal === 0) return "no nodes available to schedule pods";
  const parts = [...decision.reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${decision.nodesTotal} nodes are available: ${parts.join(", ")}.`;
}
