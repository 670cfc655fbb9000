import type { ClusterState } from "../state/cluster-state.ts";

/** A number per node that depends on the node object alone. */
export interface PerNode {
  /** The numbers by slot, brought up to date for nodes that changed. */
  current(): Float64Array;
  /** Whether all numbers are zero. Valid after `current`. */
  readonly isZero: boolean;
}

/** Works `value` out once per node and again only when the node changes. */
export function perNode(state: ClusterState, value: (slot: number) => number): PerNode {
  let column = new Float64Array(0);
  let version = -1;
  let isZero = true;
  return {
    get isZero() {
      return isZero;
    },
    current() {
      if (version === state.nodesVersion) return column;
      const { nodeVersions, size } = state;
      const fresh = column.length < size;
      if (fresh) column = new Float64Array(nodeVersions.length);
      for (let slot = 0; slot < size; slot++) {
        if (fresh || (nodeVersions[slot] as number) > version) column[slot] = value(slot);
      }
      version = state.nodesVersion;
      isZero = column.every((number) => number === 0);
      return column;
    },
  };
}
