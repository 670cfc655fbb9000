import type { Taint } from "../api/generated/types/core-v1.ts";
import type { ClusterState, NodeEntry } from "./cluster-state.ts";
import type { HostPort, PodProfile, SpreadConstraint } from "./pod-profile.ts";
import { isTolerated, untoleratedTaint } from "../api/taint.ts";

/** Part of the scheduler that turned a node down; decides which changes are worth another try. */
export type FilterName =
  | "NodeUnschedulable"
  | "NodeName"
  | "TaintToleration"
  | "NodeAffinity"
  | "NodePorts"
  | "NodeResourcesFit"
  | "PodTopologySpread"
  | "InterPodAffinity";

/** Says why a slot is unfit, or undefined. Reasons are upstream's words: people search for them. */
export interface Filter {
  name: FilterName;
  test(slot: number): readonly string[] | undefined;
}

const UNSCHEDULABLE_TAINT: Taint = {
  key: "node.kubernetes.io/unschedulable",
  effect: "NoSchedule",
};

/** The filters that this pod needs, cheap ones first; each prepared once for all nodes. */
export function filtersFor(state: ClusterState, pod: PodProfile): Filter[] {
  const filters: Filter[] = [];
  const entry = (slot: number) => state.nodes[slot] as NodeEntry;
  const add = (name: FilterName, reason: string, fits: (slot: number) => boolean) => {
    const reasons = [reason];
    filters.push({ name, test: (slot) => (fits(slot) ? undefined : reasons) });
  };
  const cordoned = !isTolerated(UNSCHEDULABLE_TAINT, pod.tolerations);
  add("NodeUnschedulable", "node(s) were unschedulable", (slot) =>
    cordoned ? !entry(slot).unschedulable : true,
  );
  if (pod.nodeName) {
    add("NodeName", "node(s) didn't match the requested node name", (slot) =>
      Boolean(entry(slot).name === pod.nodeName),
    );
  }
  filters.push({
    name: "TaintToleration",
    test(slot) {
      const { taints } = entry(slot);
      const taint = taints.length > 0 ? untoleratedTaint(taints, pod.tolerations) : undefined;
      return taint && [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`];
    },
  });
  const { fitsNode } = pod;
  if (fitsNode) {
    add("NodeAffinity", "node(s) didn't match Pod's node affinity/selector", (slot) =>
      fitsNode(entry(slot).labels, entry(slot).name),
    );
  }
  if (pod.hostPorts.length > 0) {
    add("NodePorts", "node(s) didn't have free ports for the requested pod ports", (slot) =>
      pod.hostPorts.every((port) => isPortFree(entry(slot), port)),
    );
  }
  filters.push(resourceFilter(state, pod));
  if (pod.spreadHard.length > 0) filters.push(spreadFilter(state, pod));
  const affinity = affinityFilter(state, pod);
  if (affinity) filters.push(affinity);
  return filters;
}

function isPortFree(node: NodeEntry, { protocol, port, ip }: HostPort): boolean {
  const bound = node.ports.get(`${protocol}/${port}`);
  if (!bound) return true;
  return ip !== "0.0.0.0" && !bound.has(ip) && !bound.has("0.0.0.0");
}

function resourceFilter(state: ClusterState, pod: PodProfile): Filter {
  const wanted = [...pod.requests]
    .filter(([, amount]) => amount > 0)
    .map(([resource, amount]) => ({
      amount,
      reason: `Insufficient ${resource}`,
      allocatable: state.allocatable.get(resource),
      requested: state.requested.get(resource),
    }));
  wanted.unshift({
    amount: 1,
    reason: "Too many pods",
    allocatable: state.allocatable.get("pods"),
    requested: state.requested.get("pods"),
  });
  return {
    name: "NodeResourcesFit",
    test(slot) {
      let reasons: string[] | undefined;
      for (const { amount, reason, allocatable, requested } of wanted) {
        if ((requested?.[slot] ?? 0) + amount > (allocatable?.[slot] ?? 0)) {
          reasons ??= [];
          reasons.push(reason);
        }
      }
      return reasons;
    },
  };
}

/** Whether a node counts as part of the topology that a constraint balances. */
export function inSpreadDomain(
  node: NodeEntry,
  of: { pod: PodProfile; constraint: SpreadConstraint },
): boolean {
  const { pod, constraint } = of;
  if (constraint.honorAffinity && pod.fitsNode && !pod.fitsNode(node.labels, node.name)) {
    return false;
  }
  return !(constraint.honorTaints && untoleratedTaint(node.taints, pod.tolerations));
}

/** Matching pods per topology value, over the nodes that carry every key of the constraints. */
export function spreadCounts(
  state: ClusterState,
  of: { pod: PodProfile; constraint: SpreadConstraint; keys: readonly string[] },
): Map<string, number> {
  const { constraint, keys } = of;
  const values = state.topology(constraint.topologyKey);
  const counts = state.countsOf(constraint.selector);
  const perValue = new Map<string, number>();
  for (const slot of state.live) {
    const value = values[slot];
    const node = state.nodes[slot] as NodeEntry;
    if (value === undefined || !keys.every((key) => node.labels[key] !== undefined)) continue;
    if (!inSpreadDomain(node, of)) continue;
    perValue.set(value, (perValue.get(value) ?? 0) + (counts[slot] ?? 0));
  }
  return perValue;
}

function spreadFilter(state: ClusterState, pod: PodProfile): Filter {
  const keys = pod.spreadHard.map(({ topologyKey }) => topologyKey);
  const rules = pod.spreadHard.map((constraint) => {
    const perValue = spreadCounts(state, { pod, constraint, keys });
    const least = Math.min(...perValue.values());
    const enough = perValue.size >= constraint.minDomains && perValue.size > 0;
    return {
      values: state.topology(constraint.topologyKey),
      perValue,
      most: (enough ? least : 0) + constraint.maxSkew,
      self: state.selects(constraint.selector, pod) ? 1 : 0,
    };
  });
  const reason = "node(s) didn't match pod topology spread constraints";
  return {
    name: "PodTopologySpread",
    test(slot) {
      for (const { values, perValue, most, self } of rules) {
        const value = values[slot];
        if (value === undefined) return [`${reason} (missing required label)`];
        if ((perValue.get(value) ?? 0) + self > most) return [reason];
      }
      return undefined;
    },
  };
}

/** Topology values where pods of a term are, as a set. */
function occupied(
  state: ClusterState,
  of: { topologyKey: string; counts: readonly number[] },
): Set<string> {
  const values = state.topology(of.topologyKey);
  const found = new Set<string>();
  for (const slot of state.live) {
    const value = values[slot];
    if (value !== undefined && (of.counts[slot] ?? 0) > 0) found.add(value);
  }
  return found;
}

function affinityFilter(state: ClusterState, pod: PodProfile): Filter | undefined {
  const rules: { values: readonly (string | undefined)[]; fits: Set<string>; reason: string }[] =
    [];
  const banned: typeof rules = [];
  const place = (topologyKey: string, counts: readonly number[]) => ({
    values: state.topology(topologyKey),
    fits: occupied(state, { topologyKey, counts }),
  });
  for (const { selector, topologyKey } of pod.affinity) {
    const reason = "node(s) didn't match pod affinity rules";
    rules.push({ ...place(topologyKey, state.countsOf(selector)), reason });
  }
  // The first pod of a group that wants to be together may go anywhere.
  const first =
    rules.every(({ fits }) => fits.size === 0) &&
    pod.affinity.every(({ selector }) => state.selects(selector, pod));
  for (const { selector, topologyKey } of pod.antiAffinity) {
    const reason = "node(s) didn't match pod anti-affinity rules";
    banned.push({ ...place(topologyKey, state.countsOf(selector)), reason });
  }
  for (const { term, kind, counts } of state.placedTerms.values()) {
    if (kind !== "antiAffinity" || !state.selects(term.selector, pod)) continue;
    const reason = "node(s) didn't satisfy existing pods anti-affinity rules";
    banned.push({ ...place(term.topologyKey, counts), reason });
  }
  if (rules.length + banned.length === 0) return undefined;
  return {
    name: "InterPodAffinity",
    test(slot) {
      for (const { values, fits, reason } of rules) {
        const value = values[slot];
        if (value === undefined || (!first && !fits.has(value))) return [reason];
      }
      for (const { values, fits, reason } of banned) {
        const value = values[slot];
        if (value !== undefined && fits.has(value)) return [reason];
      }
      return undefined;
    },
  };
}
