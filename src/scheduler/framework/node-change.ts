import { deepEqual } from "../../lib/deep-equal.ts";
import type { Labels } from "../../lib/labels.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import type { ClusterEvent } from "./contract.ts";

/** An event about a node that changed. */
type NodeChanged = Extract<ClusterEvent, { kind: "node-changed" }>;

/** The labels of a node before and after it changed. */
export function labelsAround(
  { before, slot }: NodeChanged,
  state: ClusterState,
): { before: Labels; after: Labels } {
  return { before: before.metadata?.labels ?? {}, after: state.nodes[slot]?.labels ?? {} };
}

/** Whether a node came, or one changed its labels. */
export function isNewToLabels(event: ClusterEvent, state: ClusterState): boolean {
  if (event.kind !== "node-changed") return event.kind === "node-added";
  const { before, after } = labelsAround(event, state);
  return !deepEqual(before, after);
}
