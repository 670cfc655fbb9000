import type { CSIDriver, StorageClass } from "../generated/types/storage-v1.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";

/** Defaults of storage.k8s.io/v1. */
export const STORAGE_DEFAULTS: Defaulters = {
  CSIDriver: defaulter<CSIDriver>((driver) => {
    const spec = (driver.spec ??= {});
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ["Persistent"];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  }),
  StorageClass: defaulter<StorageClass>((storageClass) => {
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  }),
};
