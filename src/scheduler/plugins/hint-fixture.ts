import type { ChangedClaim, ClusterEvent, SchedulerPlugin } from "../framework/contract.ts";
import { ProfileTable } from "../pod/pod-profile.ts";
import { ClusterState } from "../state/cluster-state.ts";
import { type NodeShape, nodeOf, type PodShape, podOf } from "./plugin-table-fixture.ts";

/** What happens to a node, or to a pod that is on one. */
export type Happening =
  | { nodeAdded: NodeShape }
  | { nodeBefore: NodeShape; nodeAfter: NodeShape }
  | { nodeRemoved: NodeShape }
  | { podAdded: PodShape }
  | { podBefore: PodShape; podAfter: PodShape }
  | { podRemoved: PodShape }
  | { claim: ChangedClaim }
  | { storage: "other than claims" };

const NODE = "n1";

/** Whether a plugin that refused a pod wants it tried again after what happened. */
export function wakes(plugin: SchedulerPlugin, pod: PodShape, happening: Happening): boolean {
  const state = new ClusterState();
  const profiles = new ProfileTable();
  const record = profiles.recordOf(podOf(pod, 0));
  return plugin.hint?.(eventOf(happening, { state, profiles }), record, state) ?? true;
}

function eventOf(
  happening: Happening,
  { state, profiles }: { state: ClusterState; profiles: ProfileTable },
): ClusterEvent {
  if ("storage" in happening) return { kind: "storage-changed" };
  if ("claim" in happening) return { kind: "storage-changed", claim: happening.claim };
  const recordOf = (shape: PodShape) => profiles.recordOf(podOf(shape, 1));
  if ("nodeAdded" in happening) {
    state.setNode(nodeOf(NODE, happening.nodeAdded));
    return { kind: "node-added", slot: 0 };
  }
  if ("nodeAfter" in happening) {
    state.setNode(nodeOf(NODE, happening.nodeAfter));
    return { kind: "node-changed", slot: 0, before: nodeOf(NODE, happening.nodeBefore) };
  }
  if ("nodeRemoved" in happening) {
    return { kind: "node-removed", before: nodeOf(NODE, happening.nodeRemoved) };
  }
  state.setNode(nodeOf(NODE, {}));
  if ("podAdded" in happening) {
    const pod = recordOf(happening.podAdded);
    state.addPod(pod, NODE);
    return { kind: "pod-added", pod, slot: 0 };
  }
  if ("podAfter" in happening) {
    const pod = recordOf(happening.podAfter);
    state.addPod(pod, NODE);
    return { kind: "pod-changed", pod, before: recordOf(happening.podBefore), slot: 0 };
  }
  return { kind: "pod-removed", pod: recordOf(happening.podRemoved), slot: 0 };
}
