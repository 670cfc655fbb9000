import type { DaemonSet } from "../../generated/types/apps-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateLongRunning, validateRolling } from "../workload.ts";

export const DAEMON_SET: KindRules<DaemonSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    validateLongRunning(errors, { kind: "daemonset", ...spec });
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    errors.nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit);
    const { type, rollingUpdate } = spec.updateStrategy ?? {};
    errors.oneOf("spec.updateStrategy.type", type, ["OnDelete", "RollingUpdate"]);
    if (rollingUpdate) validateRolling(errors, "spec.updateStrategy.rollingUpdate", rollingUpdate);
  },
  validateUpdate(errors, { spec }, old) {
    validateImmutable(errors, "spec.selector", { now: spec?.selector, old: old.spec?.selector });
  },
};
