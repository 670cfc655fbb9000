import { deepEqual } from "../../../lib/deep-equal.ts";
import type { StorageClass } from "../../generated/types/storage-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

export const STORAGE_CLASS: KindRules<StorageClass> = {
  validate(errors, { provisioner, reclaimPolicy, volumeBindingMode }) {
    errors.present("provisioner", provisioner);
    errors.oneOf("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]);
    const modes = ["Immediate", "WaitForFirstConsumer"];
    errors.oneOf("volumeBindingMode", volumeBindingMode, modes);
  },
  validateUpdate(errors, now, old) {
    if (!deepEqual(now.parameters ?? {}, old.parameters ?? {})) {
      errors.forbidden("parameters", "updates to parameters are forbidden.");
    }
    for (const name of ["provisioner", "reclaimPolicy"] as const) {
      if (now[name] !== old[name]) errors.forbidden(name, `updates to ${name} are forbidden.`);
    }
    const values = { now: now.volumeBindingMode, old: old.volumeBindingMode };
    validateImmutable(errors, "volumeBindingMode", values);
  },
};
