import { PODS, STATEFUL_SETS } from "../../api/generated/resources.ts";
import type { StatefulSet } from "../../api/generated/types/apps-v1.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/generated/types/core-v1.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { jsonEqual } from "../json-equal.ts";
import { controllerReference, isTerminating, refersTo, uidOf } from "../ownership.ts";
import { isMember } from "./stateful-pod.ts";

/** The members of a set before they are made have no pod; their claims know only the set. */
type Member = Pod | undefined;

/** Whether the pod is scaled away and takes its claims with it, whatever becomes of the set. */
export function takesClaims(set: StatefulSet, pod: Pod): boolean {
  return (
    !isMember(set, pod) && set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled === "Delete"
  );
}

/** Who owns a claim under the set's policy, so that the garbage collector keeps to it. */
function ownersUnder(set: StatefulSet, pod: Member): OwnerReference[] {
  if (pod && takesClaims(set, pod)) return [controllerReference(PODS, pod)];
  const { whenDeleted } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  return whenDeleted === "Delete" ? [controllerReference(STATEFUL_SETS, set)] : [];
}

/**
 * The references that a claim should have; undefined when it has them. References to others stay,
 * and where somebody else controls the claim they are all.
 */
export function claimOwners(
  set: StatefulSet,
  { claim, pod }: { claim: PersistentVolumeClaim; pod: Member },
): OwnerReference[] | undefined {
  const known = claim.metadata?.ownerReferences ?? [];
  const own = new Set([uidOf(set), ...(pod ? [uidOf(pod)] : [])]);
  const others = known.filter(({ uid }) => !own.has(uid));
  const isForeign = others.some(({ controller }) => controller === true);
  const wanted = isForeign ? others : [...others, ...ownersUnder(set, pod)];
  return jsonEqual(wanted, known) ? undefined : wanted;
}

/** A claim that goes, or will with a pod that is gone: a new pod must not begin to use it. */
export function isLeaving(claim: PersistentVolumeClaim, podName: string): boolean {
  const owners = claim.metadata?.ownerReferences ?? [];
  return (
    isTerminating(claim) || owners.some((owner) => refersTo(PODS, owner) && owner.name === podName)
  );
}
