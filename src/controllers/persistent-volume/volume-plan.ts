import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumePhase,
} from "../../api/generated/types/core-v1.ts";
import { uidOf } from "../ownership.ts";
import { BOUND_BY_CONTROLLER } from "./claim-plan.ts";
import { LOCAL_PROVISIONER } from "./contract.ts";
import { PROVISIONED_BY } from "./local-volume.ts";

/** What becomes of a volume. */
export interface VolumePlan {
  phase: PersistentVolumePhase;
  message?: string;
  /** Of the event that tells of a failure. */
  reason?: string;
  /** "unname": a promise that somebody else made is for any claim of its name again. */
  act?: "delete" | "unbind" | "unname";
}

/** Decides from the claim that the volume's reference names; undefined when there is none. Pure. */
export function planVolume(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim | undefined,
): VolumePlan {
  const reference = volume.spec?.claimRef;
  if (!reference?.uid) return { phase: "Available" };
  if (!claim || uidOf(claim) !== reference.uid) return released(volume);
  const name = volume.metadata?.name;
  const named = claim.spec?.volumeName;
  if (!named || named === name) return { phase: named ? "Bound" : "Available" };
  // The claim went with another volume.
  const { annotations = {} } = volume.metadata ?? {};
  const deletes = volume.spec?.persistentVolumeReclaimPolicy === "Delete";
  if (deletes && PROVISIONED_BY in annotations) return released(volume);
  return { phase: "Available", act: BOUND_BY_CONTROLLER in annotations ? "unbind" : "unname" };
}

function released(volume: PersistentVolume): VolumePlan {
  const { persistentVolumeReclaimPolicy: policy = "Retain", csi } = volume.spec ?? {};
  if (policy === "Recycle") {
    const message = "No recycler plugin found for the volume!";
    return { phase: "Failed", reason: "VolumeFailedRecycle", message };
  }
  if (policy !== "Delete") return { phase: "Released" };
  const provisioner = volume.metadata?.annotations?.[PROVISIONED_BY];
  if (provisioner === LOCAL_PROVISIONER) return { phase: "Released", act: "delete" };
  // Whoever made the volume, or serves its driver, deletes it.
  if (provisioner !== undefined || csi) return { phase: "Released" };
  const message =
    `error getting deleter volume plugin for volume "${volume.metadata?.name}": no deletable ` +
    "volume plugin matched";
  return { phase: "Failed", reason: "VolumeFailedDelete", message };
}
