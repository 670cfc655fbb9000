import { untoleratedTaint } from "../../api/taint.ts";
import type { PluginContext } from "../framework/contract.ts";
import { perNode } from "../framework/per-node.ts";
import type { SpreadConstraint } from "../pod/spread-constraints.ts";
import type { NodeEntry } from "../state/cluster-state.ts";
import type { DomainCounts, Eligibility } from "../state/pod-counts.ts";

/** Pods per domain of a constraint, over the nodes that the constraint counts. */
export interface SpreadCounts extends Disposable {
  readonly view: DomainCounts;
}

/** Starts counting. Nodes count that carry the keys of `list` and fit the pod as far as it says. */
export function spreadCounts(
  context: PluginContext,
  of: { constraint: SpreadConstraint; list: readonly SpreadConstraint[] },
): SpreadCounts {
  const { state } = context;
  const { constraint } = of;
  const tally = state.acquireTally(constraint.selector, { withTerminating: false });
  const view = tally.counts.view(state.column(constraint.topologyKey), eligibility(context, of));
  return {
    view,
    [Symbol.dispose]() {
      view[Symbol.dispose]();
      state.releaseTally(tally);
    },
  };
}

/** undefined when every node that has the constraint's own key counts. */
function eligibility(
  { state, profile }: PluginContext,
  of: { constraint: SpreadConstraint; list: readonly SpreadConstraint[] },
): Eligibility | undefined {
  const { constraint } = of;
  const keys = of.list
    .map(({ topologyKey }) => topologyKey)
    .filter((key) => key !== constraint.topologyKey);
  const fitsNode = constraint.honorAffinity ? profile.fitsNode : undefined;
  if (keys.length === 0 && !fitsNode && !constraint.honorTaints) return undefined;
  const counts = (node: NodeEntry) =>
    keys.every((key) => node.labels[key] !== undefined) &&
    (!fitsNode || fitsNode(node.labels, node.name)) &&
    !(constraint.honorTaints && untoleratedTaint(node.taints, profile.tolerations));
  const members = perNode(state, (slot) => (counts(state.nodes[slot] as NodeEntry) ? 1 : 0));
  return {
    get version() {
      return state.nodesVersion;
    },
    has: (slot) => members.current()[slot] === 1,
  };
}
