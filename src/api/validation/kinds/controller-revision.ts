import type { ControllerRevision } from "../../generated/types/apps-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

export const CONTROLLER_REVISION: KindRules<ControllerRevision> = {
  validate(errors, { data, revision }) {
    if (data === undefined || data === null) errors.required("data", "data is mandatory");
    else if (typeof data !== "object" || Array.isArray(data)) {
      errors.required("data", "data must be a valid JSON object");
    }
    errors.nonNegative("revision", revision);
  },
  validateUpdate(errors, { data }, old) {
    validateImmutable(errors, "data", { now: data, old: old.data });
  },
};
