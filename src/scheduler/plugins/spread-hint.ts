import type { Node } from "../../api/generated/types/core-v1.ts";
import type { ClusterEvent } from "../framework/contract.ts";
import type { PodProfile, PodRecord } from "../pod/pod-profile.ts";
import type { SpreadConstraint } from "../pod/spread-constraints.ts";
import type { ClusterState, NodeEntry } from "../state/cluster-state.ts";
import { isHonoured } from "./spread-domains.ts";

type Placeable = Pick<NodeEntry, "labels" | "name" | "taints">;

/** Whether an event changes how many pods a domain has, or which domains there are. */
export function spreadHint(
  event: ClusterEvent,
  of: { list: readonly SpreadConstraint[]; profile: PodProfile; state: ClusterState },
): boolean {
  const { list, profile, state } = of;
  const hasKeys = ({ labels }: Placeable) =>
    list.every(({ topologyKey }) => labels[topologyKey] !== undefined);
  switch (event.kind) {
    case "storage-changed":
      return false;
    case "node-added":
      return hasKeys(state.nodes[event.slot] as NodeEntry);
    // The emptiest domain, which the others are measured by, may be gone.
    case "node-removed":
      return hasKeys(placeable(event.before));
    case "node-changed": {
      const [before, after] = [placeable(event.before), state.nodes[event.slot] as NodeEntry];
      if (!hasKeys(before) && !hasKeys(after)) return false;
      const isMoved = ({ topologyKey: key }: SpreadConstraint) =>
        before.labels[key] !== after.labels[key];
      return list.some(
        (constraint) =>
          isMoved(constraint) ||
          isHonoured(before, { constraint, profile }) !==
            isHonoured(after, { constraint, profile }),
      );
    }
    default:
      return list.some(({ selector }) => {
        const counts = (pod: PodRecord) => !pod.terminating && state.selects(selector, pod.profile);
        const isCounted = counts(event.pod);
        if (event.kind !== "pod-changed") return isCounted;
        return event.before ? isCounted !== counts(event.before) : true;
      });
  }
}

function placeable({ metadata, spec }: Node): Placeable {
  const { name = "", labels = {} } = metadata ?? {};
  return { name, labels, taints: spec?.taints ?? [] };
}
