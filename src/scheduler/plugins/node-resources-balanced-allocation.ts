import type { SchedulerPlugin } from "../framework/contract.ts";
import { resourceScorer } from "../framework/resource-scorer.ts";
import { SCORED_RESOURCES } from "./node-resources-fit.ts";
import { balancedScore } from "./resource-strategies.ts";

/** Arguments of the plugin, as in `NodeResourcesBalancedAllocationArgs`. */
export interface BalancedAllocationArgs {
  resources?: readonly { name: string; weight?: number }[];
}

/** Prefers nodes whose resources are used up alike, so that none is left stranded. */
export function nodeResourcesBalancedAllocation(
  args: BalancedAllocationArgs = {},
): SchedulerPlugin {
  const named = (args.resources ?? []).map(({ name }) => ({ name, weight: 1 }));
  const weights = named.length > 0 ? named : SCORED_RESOURCES;
  return {
    name: "NodeResourcesBalancedAllocation",
    score: (context) =>
      resourceScorer(context, { weights, strategy: balancedScore, scored: false }),
  };
}
