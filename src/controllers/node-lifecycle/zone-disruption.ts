import type { Node } from "../../api/generated/types/core-v1.ts";

const ZONE = "topology.kubernetes.io/zone";
const REGION = "topology.kubernetes.io/region";
/** Whoever wears it counts for no zone's state. */
const EXCLUDED = "node.kubernetes.io/exclude-disruption";
/** From this share of nodes that are not ready on, a zone is disrupted, unless it is tiny. */
const DISRUPTED_SHARE = 0.55;
const DISRUPTED_MIN = 2;

/** "partial": so many nodes are not ready that most likely something else is wrong; "full": all. */
export type ZoneState = "normal" | "partial" | "full";

/** How the nodes of one zone are, taken together. */
export interface ZoneHealth {
  state: ZoneState;
  /** Nodes that count. */
  size: number;
}

/** Judges nodes by zone, as kube-controller-manager does. */
export function judgeZones(nodes: readonly Node[]): Map<string, ZoneHealth> {
  const counts = new Map<string, { ready: number; size: number }>();
  for (const node of nodes) {
    if (node.metadata?.labels?.[EXCLUDED] !== undefined) continue;
    const zone = zoneOf(node);
    const { ready, size } = counts.get(zone) ?? { ready: 0, size: 0 };
    counts.set(zone, { ready: ready + (isReady(node) ? 1 : 0), size: size + 1 });
  }
  return new Map(
    Array.from(counts, ([zone, { ready, size }]) => [zone, { state: stateOf(ready, size), size }]),
  );
}

/** The zone of a node; nodes that name none share one. */
export function zoneOf({ metadata }: Node): string {
  return `${metadata?.labels?.[REGION] ?? ""}/${metadata?.labels?.[ZONE] ?? ""}`;
}

function stateOf(ready: number, size: number): ZoneState {
  const unready = size - ready;
  if (ready === 0) return "full";
  return unready > DISRUPTED_MIN && unready / size >= DISRUPTED_SHARE ? "partial" : "normal";
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}
