import { forbidden } from "../../api/errors.ts";
import { STORAGE_CLASSES } from "../../api/generated/resources.ts";
import type { PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import { compareQuantities, parseQuantity } from "../../lib/quantity.ts";
import type { AdmissionPlugin, ObjectReader } from "../contract.ts";

/** A claim grows only where its class can grow it. */
export function persistentVolumeClaimResizePlugin(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "PersistentVolumeClaimResize",
    handles: ({ operation, resource, subresource }) =>
      operation === "UPDATE" &&
      resource.group === "" &&
      resource.plural === "persistentvolumeclaims" &&
      !subresource,
    validate: (request) => {
      const claim = request.object as unknown as PersistentVolumeClaim;
      const old = request.oldObject as unknown as PersistentVolumeClaim;
      const size = claim.spec?.resources?.requests?.["storage"];
      const oldSize = old.spec?.resources?.requests?.["storage"];
      if (size === undefined || oldSize === undefined) return;
      if (compareQuantities(parseQuantity(size), parseQuantity(oldSize)) <= 0) return;
      const refuse = (why: string) => forbidden(request.resource, request.name, why);
      if (old.status?.phase !== "Bound") {
        throw refuse("Only bound persistent volume claims can be expanded");
      }
      const name = claim.spec?.storageClassName;
      const storageClass = name ? reader.get(STORAGE_CLASSES, { name }) : undefined;
      if (storageClass?.allowVolumeExpansion) return;
      throw refuse(
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
      );
    },
  };
}
