import { dns1123SubdomainErrors } from "../../../lib/names.ts";
import type { CSIStorageCapacity } from "../../generated/types/storage-v1.ts";
import { goSelector } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateAmount, validateSelector } from "../values.ts";

export const CSI_STORAGE_CAPACITY: KindRules<CSIStorageCapacity> = {
  validate(errors, { nodeTopology, storageClassName, capacity }) {
    validateSelector(errors, "nodeTopology", nodeTopology);
    const complaints = dns1123SubdomainErrors(storageClassName ?? "");
    errors.complaints("storageClassName", storageClassName, complaints);
    if (capacity !== undefined) validateAmount(errors, "capacity", capacity);
  },
  validateUpdate(errors, now, old) {
    const topology = { now: now.nodeTopology, old: old.nodeTopology };
    const shown = goSelector(now.nodeTopology);
    validateImmutable(errors, "nodeTopology", { ...topology, shown });
    const names = { now: now.storageClassName, old: old.storageClassName };
    validateImmutable(errors, "storageClassName", names);
  },
};
