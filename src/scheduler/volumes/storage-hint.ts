import type { ClusterEvent } from "../framework/contract.ts";
import type { PodRecord } from "../pod/pod-profile.ts";

/** Whether storage changed that may matter to a pod: of claims only its own, of the rest all. */
export function isStorageOf({ namespace, profile }: PodRecord, event: ClusterEvent): boolean {
  if (event.kind !== "storage-changed") return false;
  const { claim } = event;
  if (claim === undefined) return profile.claims.length > 0;
  return claim.namespace === namespace && profile.claims.includes(claim.name);
}
