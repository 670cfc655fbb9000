import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
} from "../../api/generated/types/core-v1.ts";
import type { StorageClass } from "../../api/generated/types/storage-v1.ts";
import { uidOf } from "../ownership.ts";
import { BOUND_BY_CONTROLLER } from "./claim-plan.ts";
import { LOCAL_PROVISIONER } from "./contract.ts";

/** Tells who has to dispose of a volume that nobody claims any more. */
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
const HOSTNAME = "kubernetes.io/hostname";

/** The volume for a claim on a node: a directory that the node's agent makes when it is used. */
export function localVolume(
  claim: PersistentVolumeClaim,
  { storageClass, node }: { storageClass: StorageClass; node: Node },
): PersistentVolume {
  const name = `pvc-${uidOf(claim)}`;
  const hostname = node.metadata?.labels?.[HOSTNAME] ?? node.metadata?.name ?? "";
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name,
      annotations: { [PROVISIONED_BY]: LOCAL_PROVISIONER, [BOUND_BY_CONTROLLER]: "yes" },
    },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.["storage"] ?? "0" },
      accessModes: claim.spec?.accessModes ?? [],
      volumeMode: "Filesystem",
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata?.name ?? "",
      csi: { driver: LOCAL_PROVISIONER, volumeHandle: name },
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        name: claim.metadata?.name ?? "",
        namespace: claim.metadata?.namespace ?? "",
        uid: uidOf(claim),
      },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: HOSTNAME, operator: "In", values: [hostname] }] },
          ],
        },
      },
    },
  };
}
