import { untoleratedTaint } from "../../api/taint.ts";
import type { PluginContext } from "../framework/contract.ts";
import { perNode } from "../framework/per-node.ts";
import type { PodProfile } from "../pod/pod-profile.ts";
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

/** Whether a node fits the pod as far as a constraint looks at that. */
export function isHonoured(
  node: Pick<NodeEntry, "labels" | "name" | "taints">,
  of: { constraint: SpreadConstraint; profile: PodProfile },
): boolean {
  const { honorAffinity, honorTaints } = of.constraint;
  const { fitsNode, tolerations } = of.profile;
  if (honorAffinity && fitsNode && !fitsNode(node.labels, node.name)) return false;
  return !(honorTaints && untoleratedTaint(node.taints, tolerations));
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
  const { honorAffinity, honorTaints } = constraint;
  const isAny = !(honorAffinity && profile.fitsNode) && !honorTaints;
  if (keys.length === 0 && isAny) return undefined;
  const counts = (node: NodeEntry) =>
    keys.every((key) => node.labels[key] !== undefined) &&
    isHonoured(node, { constraint, profile });
  const members = perNode(state, (slot) => (counts(state.nodes[slot] as NodeEntry) ? 1 : 0));
  return {
    get version() {
      return state.nodesVersion;
    },
    has: (slot) => members.current()[slot] === 1,
  };
}
