import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import { compileLabelSelector, matchesLabels } from "../../lib/labels.ts";
import { compareQuantities, parseQuantity } from "../../lib/quantity.ts";
import { isTerminating, uidOf } from "../ownership.ts";

const OLD_CLASS = "volume.beta.kubernetes.io/storage-class";

/** Class of a claim or a volume; "" is the class of those that belong to none. */
export function classOf(object: PersistentVolume | PersistentVolumeClaim): string {
  return object.metadata?.annotations?.[OLD_CLASS] ?? object.spec?.storageClassName ?? "";
}

/** Whether the volume was promised to this claim; a promise by name alone holds, too. */
export function isPromisedTo(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec?.claimRef;
  if (!reference) return false;
  const { name, namespace } = claim.metadata ?? {};
  if (reference.name !== name || reference.namespace !== namespace) return false;
  return !reference.uid || reference.uid === uidOf(claim);
}

/**
 * The volume that fits a claim best: one that is promised to it, else the smallest free one of its
 * class, modes and labels that is large enough. Ties go by name, so that a repeated choice is the
 * same. `promisedOnly` leaves free volumes out.
 */
export function bestVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  options: { promisedOnly: boolean },
): PersistentVolume | undefined {
  const promised = volumes.find((volume) => isPromisedTo(volume, claim));
  if (promised)
    return isLargeEnough(promised, claim) && sameMode(promised, claim) ? promised : undefined;
  if (options.promisedOnly) return undefined;
  return volumes
    .filter((volume) => !volume.spec?.claimRef && fits(volume, claim))
    .toSorted((a, b) => bySize(a, b) || (nameOf(a) < nameOf(b) ? -1 : 1))[0];
}

/** Why a volume is none that the claim asks for, whatever its labels; undefined when it is. */
export function mismatch(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): string | undefined {
  const modes: readonly string[] = volume.spec?.accessModes ?? [];
  if (isTerminating(volume)) return `the volume is marked for deletion "${nameOf(volume)}"`;
  if (!isLargeEnough(volume, claim)) return "requested PV is too small";
  if (classOf(volume) !== classOf(claim)) return "storageClassName does not match";
  if (!sameMode(volume, claim)) return "incompatible volumeMode";
  const hasModes = (claim.spec?.accessModes ?? []).every((mode) => modes.includes(mode));
  return hasModes ? undefined : "incompatible accessMode";
}

function fits(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const selector = claim.spec?.selector;
  const requirements = selector ? compileLabelSelector(selector) : [];
  return (
    volume.status?.phase === "Available" &&
    mismatch(volume, claim) === undefined &&
    (requirements ? matchesLabels(requirements, volume.metadata?.labels) : false)
  );
}

function sameMode(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (volume.spec?.volumeMode ?? "Filesystem") === (claim.spec?.volumeMode ?? "Filesystem");
}

function isLargeEnough(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const wanted = claim.spec?.resources?.requests?.["storage"] ?? "0";
  const have = volume.spec?.capacity?.["storage"] ?? "0";
  return compareQuantities(parseQuantity(have), parseQuantity(wanted)) >= 0;
}

function bySize(a: PersistentVolume, b: PersistentVolume): number {
  const size = (volume: PersistentVolume) =>
    parseQuantity(volume.spec?.capacity?.["storage"] ?? "0");
  return compareQuantities(size(a), size(b));
}

function nameOf(volume: PersistentVolume): string {
  return volume.metadata?.name ?? "";
}
