import type { PersistentVolumeClaim, Pod, Volume } from "../../api/generated/types/core-v1.ts";
import { controllerOf, uidOf } from "../ownership.ts";

/** Name of the claim behind a generic ephemeral volume. */
export function ephemeralClaimName(pod: Pod, volume: Volume): string {
  return `${pod.metadata?.name}-${volume.name}`;
}

/** Names of all claims that a pod uses. */
export function claimNamesOf(pod: Pod): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral ? [ephemeralClaimName(pod, volume)] : [];
  });
}

/** Whether the claim was made for this pod, not just named so. */
export function isOwnedByPod(claim: PersistentVolumeClaim, pod: Pod): boolean {
  return controllerOf(claim)?.uid === uidOf(pod);
}
