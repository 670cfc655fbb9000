import { dns1123SubdomainErrors } from "../../../lib/names.ts";
import type { CSIStorageCapacity } from "../../generated/types/storage-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateAmount, validateSelector } from "../values.ts";

export const CSI_STORAGE_CAPACITY: KindRules<CSIStorageCapacity> = {
  validate(errors, { nodeTopology, storageClassName, capacity, maximumVolumeSize }) {
    validateSelector(errors, "nodeTopology", nodeTopology);
    const complaints = dns1123SubdomainErrors(storageClassName ?? "");
    errors.complaints("storageClassName", storageClassName, complaints);
    for (const [name, amount] of Object.entries({ capacity, maximumVolumeSize })) {
      if (amount !== undefined) validateAmount(errors, name, amount);
    }
  },
  validateUpdate(errors, now, old) {
    for (const name of ["nodeTopology", "storageClassName"] as const) {
      validateImmutable(errors, name, { now: now[name], old: old[name] });
    }
  },
};
