import type { Node, Pod } from "../api/generated/types/core-v1.ts";
import { deepEqual } from "../lib/deep-equal.ts";

/** Heartbeats change a node's status all the time; only these parts decide on placement. */
export function isRelevantNodeChange(before: Node, after: Node): boolean {
  return !(
    deepEqual(before.spec ?? {}, after.spec ?? {}) &&
    deepEqual(before.metadata?.labels ?? {}, after.metadata?.labels ?? {}) &&
    deepEqual(before.status?.allocatable ?? {}, after.status?.allocatable ?? {}) &&
    deepEqual(before.status?.images ?? [], after.status?.images ?? [])
  );
}

/** A placed pod's status changes all the time; only these parts count for others. */
export function isRelevantPodChange(before: Pod, after: Pod): boolean {
  return (
    before.metadata?.deletionTimestamp !== after.metadata?.deletionTimestamp ||
    !deepEqual(before.metadata?.labels ?? {}, after.metadata?.labels ?? {}) ||
    !deepEqual(before.spec?.containers, after.spec?.containers)
  );
}
