import type { ReplicaSet } from "../../generated/types/apps-v1.ts";
import { goSelector } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import {
  REPLICA_STATUS,
  validateRunningTemplate,
  validateSelected,
  validateStatus,
  validateWorkloadSelector,
} from "../workload.ts";

export const REPLICA_SET: KindRules<ReplicaSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    errors.nonNegative("spec.replicas", spec.replicas);
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    validateWorkloadSelector(errors, spec.selector, "deployment");
    if (spec.selector) validateSelected(errors, spec.template, spec.selector);
    validateRunningTemplate(errors, spec.template, "ReplicaSet");
  },
  validateUpdate(errors, { spec }, old) {
    const values = { now: spec?.selector, old: old.spec?.selector };
    validateImmutable(errors, "spec.selector", { ...values, shown: goSelector(spec?.selector) });
  },
  subresources: {
    status(errors, { status }, old) {
      validateStatus(errors, { status, old: old.status }, REPLICA_STATUS);
    },
  },
};
