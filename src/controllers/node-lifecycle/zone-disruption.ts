import type { Node } from "../../api/generated/types/core-v1.ts";

const ZONE = "topology.kubernetes.io/zone";
const REGION = "topology.kubernetes.io/region";
/** From this share of nodes that are not ready on, a zone is disrupted, unless it is tiny. */
const DISRUPTED_SHARE = 0.55;
const DISRUPTED_MIN = 2;
/** Larger zones are so likely to lose nodes that their pods leave all the same. */
const LARGE_ZONE = 50;

interface ZoneCount {
  ready: number;
  unready: number;
}

/** Where so many nodes are lost that rather their watcher is cut off than they. */
export interface Disruption {
  /** Whether pods should stay where they are, though their node is not ready. */
  holds(node: Node): boolean;
}

/**
 * Judges all nodes together, as Kubernetes does: when none is ready, or most of a small zone are
 * not, pods have nowhere better to go, and most likely still run.
 */
export function findDisruption(nodes: readonly Node[]): Disruption {
  const zones = new Map<string, ZoneCount>();
  for (const node of nodes) {
    const count = zones.get(zoneOf(node)) ?? { ready: 0, unready: 0 };
    zones.set(zoneOf(node), count);
    if (isReady(node)) count.ready++;
    else count.unready++;
  }
  const isNoneReady = [...zones.values()].every(({ ready }) => ready === 0);
  return {
    holds(node) {
      if (isNoneReady) return true;
      const { ready, unready } = zones.get(zoneOf(node)) ?? { ready: 0, unready: 0 };
      const total = ready + unready;
      if (ready === 0 || total > LARGE_ZONE) return false;
      return unready > DISRUPTED_MIN && unready / total >= DISRUPTED_SHARE;
    },
  };
}

function zoneOf({ metadata }: Node): string {
  return `${metadata?.labels?.[REGION] ?? ""}/${metadata?.labels?.[ZONE] ?? ""}`;
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}
