import type { DaemonSet, DaemonSetUpdateStrategy } from "../../generated/types/apps-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goIntOrString, goSelector } from "../go-text.ts";
import { goStruct } from "../go-struct.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateSelector } from "../values.ts";
import {
  isEmptySelector,
  isNone,
  type StatusRules,
  validateRolling,
  validateRunningTemplate,
  validateSelected,
  validateShare,
  validateStatus,
  validateSelectorStays,
} from "../workload.ts";

const STATUS: StatusRules = {
  counts: [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ],
};

export const DAEMON_SET: KindRules<DaemonSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    const { selector, template } = spec;
    validateSelector(errors, "spec.selector", selector);
    validateSelected(errors, template, selector);
    if (selector && isEmptySelector(selector)) {
      const detail = "empty selector is invalid for daemonset";
      errors.invalid("spec.selector", goSelector(selector), detail);
    }
    validateRunningTemplate(errors, template, "DaemonSet");
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    validateStrategy(errors, spec.updateStrategy ?? {});
    errors.nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit);
  },
  validateUpdate: validateSelectorStays,
  subresources: {
    status(errors, { status }, old) {
      validateStatus(errors, { status, old: old.status }, STATUS);
    },
  },
};

/** A pod is either taken before its successor is started, or after. */
function validateStrategy(errors: FieldErrors, strategy: DaemonSetUpdateStrategy): void {
  const { type, rollingUpdate } = strategy;
  if (type !== undefined && type !== "RollingUpdate" && type !== "OnDelete") {
    const shown = goStruct("apps.DaemonSetUpdateStrategy", strategy);
    errors.notSupported("spec.updateStrategy", shown, ["RollingUpdate", "OnDelete"]);
  }
  if (type !== "RollingUpdate" || !rollingUpdate) return;
  const field = "spec.updateStrategy.rollingUpdate";
  const { maxSurge, maxUnavailable } = rollingUpdate;
  validateRolling(errors, field, rollingUpdate);
  const [surge, unavailable] = [!isNone(maxSurge), !isNone(maxUnavailable)];
  if (surge && unavailable) {
    const detail = "may not be set when maxUnavailable is non-zero";
    errors.invalid(`${field}.maxSurge`, goIntOrString(maxSurge ?? 0), detail);
  } else if (!surge && !unavailable) {
    errors.required(`${field}.maxUnavailable`, "cannot be 0 when maxSurge is 0");
  }
  validateShare(errors, `${field}.maxUnavailable`, maxUnavailable);
  validateShare(errors, `${field}.maxSurge`, maxSurge);
}
