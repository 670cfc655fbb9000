import type { Deployment, DeploymentStrategy } from "../../generated/types/apps-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goIntOrString } from "../go-text.ts";
import { goStruct } from "../go-struct.ts";
import type { KindRules } from "../kind-rules.ts";
import {
  isNone,
  type StatusRules,
  validateRolling,
  validateSelectedTemplate,
  validateShare,
  validateStatus,
  validateWorkloadSelector,
  validateSelectorStays,
} from "../workload.ts";

const STATUS: StatusRules = {
  counts: [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "collisionCount",
  ],
  parts: [
    ["updatedReplicas", "replicas"],
    ["readyReplicas", "replicas"],
    ["availableReplicas", "replicas"],
    ["availableReplicas", "readyReplicas", "readyReplicas"],
  ],
};

export const DEPLOYMENT: KindRules<Deployment> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    errors.nonNegative("spec.replicas", spec.replicas);
    validateWorkloadSelector(errors, spec.selector, "deployment");
    validateSelectedTemplate(errors, spec, "ReplicaSet");
    validateStrategy(errors, spec.strategy ?? {});
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    errors.nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit);
    const deadline = spec.progressDeadlineSeconds;
    errors.nonNegative("spec.progressDeadlineSeconds", deadline);
    if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
      const detail = "must be greater than minReadySeconds";
      errors.invalid("spec.progressDeadlineSeconds", deadline, detail);
    }
  },
  validateUpdate: validateSelectorStays,
  subresources: {
    status(errors, { status }, old) {
      validateStatus(errors, { status, old: old.status }, STATUS);
    },
  },
};

function validateStrategy(errors: FieldErrors, strategy: DeploymentStrategy): void {
  const { type, rollingUpdate } = strategy;
  const field = "spec.strategy.rollingUpdate";
  if (type === "Recreate") {
    if (rollingUpdate) {
      errors.forbidden(field, "may not be specified when strategy `type` is 'Recreate'");
    }
  } else if (type !== undefined && type !== "RollingUpdate") {
    const shown = goStruct("apps.DeploymentStrategy", strategy);
    errors.notSupported("spec.strategy", shown, ["Recreate", "RollingUpdate"]);
  } else if (rollingUpdate) {
    validateRolling(errors, field, rollingUpdate);
    const { maxSurge, maxUnavailable } = rollingUpdate;
    if (isNone(maxSurge) && isNone(maxUnavailable)) {
      const detail = "may not be 0 when `maxSurge` is 0";
      errors.invalid(`${field}.maxUnavailable`, goIntOrString(maxUnavailable ?? 0), detail);
    }
    validateShare(errors, `${field}.maxUnavailable`, maxUnavailable);
  }
}
