import { PODS, STATEFUL_SETS } from "../../api/generated/resources.ts";
import type { StatefulSet } from "../../api/generated/types/apps-v1.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/generated/types/core-v1.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { jsonEqual } from "../json-equal.ts";
import { controllerReference, isTerminating, refersTo, uidOf } from "../ownership.ts";
import { ordinalOf } from "./stateful-pod.ts";

/** The members of a set before they are made have no pod; their claims know only the set. */
type Member = Pod | undefined;

/** Who owns a claim under the set's policy, so that the garbage collector keeps to it. */
function ownersUnder(set: StatefulSet, pod: Member): OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const start = set.spec?.ordinals?.start ?? 0;
  const ordinal = pod ? ordinalOf(set, pod) : start;
  const isSurplus = ordinal < start || ordinal >= start + (set.spec?.replicas ?? 1);
  // A pod that is scaled away takes its claims with it, whatever becomes of the set.
  if (pod && isSurplus && whenScaled === "Delete") return [controllerReference(PODS, pod)];
  return whenDeleted === "Delete" ? [controllerReference(STATEFUL_SETS, set)] : [];
}

/**
 * The references that a claim should have; undefined when it has them, or when somebody else
 * controls it. References to others stay.
 */
export function claimOwners(
  set: StatefulSet,
  { claim, pod }: { claim: PersistentVolumeClaim; pod: Member },
): OwnerReference[] | undefined {
  const known = claim.metadata?.ownerReferences ?? [];
  const own = new Set([uidOf(set), ...(pod ? [uidOf(pod)] : [])]);
  const others = known.filter(({ uid }) => !own.has(uid));
  if (others.some(({ controller }) => controller === true)) return undefined;
  const wanted = [...others, ...ownersUnder(set, pod)];
  return jsonEqual(wanted, known) ? undefined : wanted;
}

/** A claim that goes, or will with a pod that is gone: a new pod must not begin to use it. */
export function isLeaving(claim: PersistentVolumeClaim, podName: string): boolean {
  const owners = claim.metadata?.ownerReferences ?? [];
  return (
    isTerminating(claim) || owners.some((owner) => refersTo(PODS, owner) && owner.name === podName)
  );
}
