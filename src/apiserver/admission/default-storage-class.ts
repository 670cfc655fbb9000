import { STORAGE_CLASSES } from "../../api/generated/resources.ts";
import type { PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import type { AdmissionPlugin, ObjectReader } from "../contract.ts";
import { newestDefault } from "./default-class.ts";

const OLD_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** A claim that names no class gets the default one; `storageClassName: ""` means none. */
export function defaultStorageClassPlugin(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "DefaultStorageClass",
    handles: ({ operation, resource, subresource }) =>
      operation === "CREATE" &&
      resource.group === "" &&
      resource.plural === "persistentvolumeclaims" &&
      !subresource,
    mutate: (request) => {
      const claim = request.object as unknown as PersistentVolumeClaim;
      if (claim.spec?.storageClassName !== undefined) return;
      if (claim.metadata?.annotations?.[OLD_ANNOTATION] !== undefined) return;
      const found = newestDefault(reader.list(STORAGE_CLASSES), "storageclass.kubernetes.io");
      if (found) claim.spec = { ...claim.spec, storageClassName: found };
    },
  };
}
