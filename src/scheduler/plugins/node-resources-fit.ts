import type { Node } from "../../api/generated/types/core-v1.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type { NodeFilter, PluginContext, SchedulerPlugin } from "../framework/contract.ts";
import {
  type ResourceScore,
  resourceScorer,
  type ResourceWeight,
} from "../framework/resource-scorer.ts";
import type { NodeEntry } from "../state/cluster-state.ts";
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

/** Bits of a code for what is short, and as many above them for what even an empty node lacks. */
const BITS = 15;

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
      if (event.kind === "pod-changed") {
        const [{ profile: now }, before] = [event.pod, event.before];
        if (!before) return true;
        const isFreed = (name: string) =>
          (now.requests.get(name) ?? 0) < (before.profile.requests.get(name) ?? 0);
        return [...profile.requests.keys()].some(isFreed);
      }
      if (event.kind !== "node-added" && event.kind !== "node-changed") return false;
      if (event.kind === "node-changed" && hasSameSize(event.before, state.nodes[event.slot])) {
        return false;
      }
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

function hasSameSize({ status }: Node, after: NodeEntry | undefined): boolean {
  return deepEqual(status?.allocatable ?? {}, after?.node?.status?.allocatable ?? {});
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

/** More resources than there are bits share the last one; nobody asks for so many. */
function bitOf(at: number): number {
  return 1 << Math.min(at, BITS - 1);
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
  return {
    slotOnly: true,
    begin: () => true,
    test(slot) {
      let code = 0;
      for (const [at, { id, amount }] of wanted.entries()) {
        const all = table.allocatable[id]?.[slot] ?? 0;
        if ((table.requested[id]?.[slot] ?? 0) + amount <= all) continue;
        code |= bitOf(at);
        if (amount > all) code |= bitOf(at) << BITS;
      }
      return code;
    },
    explain(code) {
      const among = (bits: number) => reasons.filter((_, at) => (bits & bitOf(at)) !== 0);
      const lasting = among(code >> BITS);
      return { reasons: among(code), ...(lasting.length > 0 ? { lasting } : {}) };
    },
  };
}
