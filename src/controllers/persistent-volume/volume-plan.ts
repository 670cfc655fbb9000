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
  act?: "delete" | "unbind";
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
  // The claim went with another volume: only the controller's own promise is taken back.
  const ours = volume.metadata?.annotations?.[BOUND_BY_CONTROLLER] !== undefined;
  const provisioned = volume.metadata?.annotations?.[PROVISIONED_BY] !== undefined;
  if (provisioned) return released(volume);
  return { phase: "Available", ...(ours ? { act: "unbind" as const } : {}) };
}

function released(volume: PersistentVolume): VolumePlan {
  const { persistentVolumeReclaimPolicy: policy = "Retain" } = volume.spec ?? {};
  if (policy === "Recycle") {
    const message = "Cannot recycle the volume: delete it, or set its reclaim policy to Retain";
    return { phase: "Failed", message };
  }
  const ours = volume.metadata?.annotations?.[PROVISIONED_BY] === LOCAL_PROVISIONER;
  const removes = policy === "Delete" && ours;
  return { phase: "Released", ...(removes ? { act: "delete" as const } : {}) };
}
