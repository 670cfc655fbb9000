import type { Deployment } from "../../generated/types/apps-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateLongRunning, validateRolling } from "../workload.ts";

export const DEPLOYMENT: KindRules<Deployment> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    validateLongRunning(errors, { kind: "deployment", ...spec });
    for (const name of ["replicas", "minReadySeconds", "revisionHistoryLimit"] as const) {
      errors.nonNegative(`spec.${name}`, spec[name]);
    }
    const { type, rollingUpdate } = spec.strategy ?? {};
    errors.oneOf("spec.strategy.type", type, ["Recreate", "RollingUpdate"]);
    if (type === "Recreate" && rollingUpdate) {
      const detail = "may not be specified when strategy `type` is 'Recreate'";
      errors.forbidden("spec.strategy.rollingUpdate", detail);
    } else if (rollingUpdate) {
      validateRolling(errors, "spec.strategy.rollingUpdate", rollingUpdate);
    }
    const deadline = spec.progressDeadlineSeconds;
    errors.nonNegative("spec.progressDeadlineSeconds", deadline);
    if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
      const detail = "must be greater than minReadySeconds";
      errors.invalid("spec.progressDeadlineSeconds", deadline, detail);
    }
  },
  validateUpdate(errors, { spec }, old) {
    validateImmutable(errors, "spec.selector", { now: spec?.selector, old: old.spec?.selector });
  },
};
