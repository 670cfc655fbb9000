import type { NodeFilter, PluginContext, SchedulerPlugin } from "../framework/contract.ts";
import {
  type ResourceScore,
  resourceScorer,
  type ResourceWeight,
} from "../framework/resource-scorer.ts";
import { PODS_RESOURCE } from "../state/resource-table.ts";
import {
  capacityRatioScore,
  leastAllocatedScore,
  mostAllocatedScore,
} from "./resource-strategies.ts";

/** Arguments of the plugin, as in `NodeResourcesFitArgs`. */
export interface NodeResourcesFitArgs {
  /** Extended resources that others look after. */
  ignoredResources?: readonly string[];
  /** Prefixes such as "example.com" whose resources others look after. */
  ignoredResourceGroups?: readonly string[];
  scoringStrategy?: {
    type?: "LeastAllocated" | "MostAllocated" | "RequestedToCapacityRatio";
    resources?: readonly { name: string; weight?: number }[];
    requestedToCapacityRatio?: { shape: readonly { utilization: number; score: number }[] };
  };
}

/** cpu and memory alike, unless the arguments say otherwise. */
export const SCORED_RESOURCES: readonly ResourceWeight[] = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];

/** Code bits beyond this many resources share the last one; nobody asks for so many. */
const BITS = 30;
/** Set in a code when the node could not take the pod even if it were empty. */
const TOO_SMALL = 2 ** 30;

/** What a pod requests must be free: every resource, and a place among the node's pods. */
export function nodeResourcesFit(args: NodeResourcesFitArgs = {}): SchedulerPlugin {
  const isIgnored = (name: string) =>
    name.includes("/") &&
    (args.ignoredResources?.includes(name) === true ||
      args.ignoredResourceGroups?.includes(name.slice(0, name.indexOf("/"))) === true);
  const strategy = strategyOf(args);
  const resources = (args.scoringStrategy?.resources ?? []).map(({ name, weight }) => ({
    name,
    weight: weight || 1,
  }));
  const weights = resources.length > 0 ? resources : SCORED_RESOURCES;
  return {
    name: "NodeResourcesFit",
    filter: (context) => fitFilter(context, isIgnored),
    score: (context) => resourceScorer(context, { weights, strategy, scored: true }),
    hint(event, { profile }, state) {
      if (event.kind === "pod-removed") {
        if (event.slot === undefined) return false;
        const freed = event.pod.profile.requests;
        const pods = state.resources.allocatable[PODS_RESOURCE]?.[event.slot] ?? 0;
        const full = (state.resources.requested[PODS_RESOURCE]?.[event.slot] ?? 0) + 1 >= pods;
        return full || [...profile.requests.keys()].some((name) => (freed.get(name) ?? 0) > 0);
      }
      if (event.kind !== "node-added" && event.kind !== "node-changed") return false;
      const { allocatable, requested } = state.resources;
      const isFree = (id: number, amount: number) =>
        (requested[id]?.[event.slot] ?? 0) + amount <= (allocatable[id]?.[event.slot] ?? 0);
      if (!isFree(PODS_RESOURCE, 1)) return false;
      for (const [name, amount] of profile.requests) {
        if (amount > 0 && !isIgnored(name) && !isFree(state.resources.idOf(name), amount)) {
          return false;
        }
      }
      return true;
    },
  };
}

function strategyOf({ scoringStrategy }: NodeResourcesFitArgs): ResourceScore {
  switch (scoringStrategy?.type) {
    case "MostAllocated":
      return mostAllocatedScore;
    case "RequestedToCapacityRatio":
      return capacityRatioScore(scoringStrategy.requestedToCapacityRatio?.shape ?? []);
    case "LeastAllocated":
    case undefined:
      return leastAllocatedScore;
  }
}

/** The reason order is upstream's: pods, cpu, memory, ephemeral storage, the rest. */
function fitFilter(
  { state, profile }: PluginContext,
  isIgnored: (name: string) => boolean,
): NodeFilter {
  const table = state.resources;
  const wanted: { id: number; amount: number }[] = [];
  for (const [name, amount] of profile.requests) {
    if (amount > 0 && !isIgnored(name)) wanted.push({ id: table.idOf(name), amount });
  }
  wanted.sort((a, b) => a.id - b.id);
  wanted.unshift({ id: PODS_RESOURCE, amount: 1 });
  const reasons = wanted.map(({ id }) =>
    id === PODS_RESOURCE ? "Too many pods" : `Insufficient ${table.names[id]}`,
  );
  const amounts = Float64Array.from(wanted, ({ amount }) => amount);
  const allocatable: Float64Array[] = [];
  const requested: Float64Array[] = [];
  const count = wanted.length;
  // A decision changes one node: of all others the answer is known.
  let { versions } = table;
  let known = new Int32Array(0);
  let knownVersions = new Float64Array(0);
  return {
    begin() {
      // Columns move when they grow.
      for (let at = 0; at < count; at++) {
        const id = (wanted[at] as { id: number }).id;
        allocatable[at] = table.allocatable[id] as Float64Array;
        requested[at] = table.requested[id] as Float64Array;
      }
      ({ versions } = table);
      if (known.length < versions.length) {
        known = new Int32Array(versions.length);
        knownVersions = new Float64Array(versions.length).fill(-1);
      }
      return true;
    },
    test(slot) {
      if (knownVersions[slot] === versions[slot]) return known[slot] as number;
      let code = 0;
      for (let at = 0; at < count; at++) {
        const amount = amounts[at] as number;
        const all = (allocatable[at] as Float64Array)[slot] as number;
        if (((requested[at] as Float64Array)[slot] as number) + amount <= all) continue;
        code |= 1 << Math.min(at, BITS - 1);
        if (amount > all) code |= TOO_SMALL;
      }
      knownVersions[slot] = versions[slot] as number;
      known[slot] = code;
      return code;
    },
    explain: (code) => ({
      reasons: reasons.filter((_, at) => (code & (1 << Math.min(at, BITS - 1))) !== 0),
      unresolvable: (code & TOO_SMALL) !== 0,
    }),
  };
}
