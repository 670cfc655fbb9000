import { deepEqual } from "../../../lib/deep-equal.ts";
import type { PersistentVolumeClaim } from "../../generated/types/core-v1.ts";
import { validateModes } from "../access-modes.ts";
import type { KindRules } from "../kind-rules.ts";
import { exceeds, readQuantity, validateAmount, validateSelector } from "../values.ts";

export const PERSISTENT_VOLUME_CLAIM: KindRules<PersistentVolumeClaim> = {
  validate(errors, { spec = {} }) {
    if ((spec.accessModes ?? []).length === 0) {
      errors.required("spec.accessModes", "at least 1 access mode is required");
    }
    validateModes(errors, spec.accessModes);
    if ((spec.accessModes?.length ?? 0) > 1 && spec.accessModes?.includes("ReadWriteOncePod")) {
      const detail = "may not use ReadWriteOncePod with other access modes";
      errors.forbidden("spec.accessModes", detail);
    }
    validateSelector(errors, "spec.selector", spec.selector);
    const storage = spec.resources?.requests?.storage;
    if (storage === undefined) errors.required("spec.resources[storage]");
    else if (validateAmount(errors, "spec.resources[storage]", storage)?.nanos === 0n) {
      errors.invalid("spec.resources[storage]", storage, "must be greater than zero");
    }
    errors.oneOf("spec.volumeMode", spec.volumeMode, ["Block", "Filesystem"]);
  },
  validateUpdate(errors, { spec = {} }, old) {
    const before = old.spec ?? {};
    const fixed = (of: PersistentVolumeClaim["spec"] = {}) => {
      const { resources: _, volumeName: __, volumeAttributesClassName: ___, ...rest } = of;
      return rest;
    };
    const rebound = before.volumeName && spec.volumeName !== before.volumeName;
    if (rebound || !deepEqual(fixed(spec), fixed(before))) {
      errors.forbidden(
        "spec",
        "spec is immutable after creation except resources.requests and " +
          "volumeAttributesClassName for bound claims",
      );
    }
    const [now, was] = [spec.resources?.requests?.storage, before.resources?.requests?.storage];
    if (now === undefined || was === undefined) return;
    const field = "spec.resources.requests.storage";
    const smallest = old.status?.capacity?.storage ?? was;
    if (exceeds(readQuantity(errors, field, smallest), readQuantity(errors, field, now))) {
      errors.forbidden(field, "field can not be less than status.capacity");
    }
  },
};
