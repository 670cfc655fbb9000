import type { ReplicaSet } from "../../generated/types/apps-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import {
  REPLICA_STATUS,
  validateSelectedTemplate,
  validateStatus,
  validateWorkloadSelector,
  validateSelectorStays,
} from "../workload.ts";

export const REPLICA_SET: KindRules<ReplicaSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    errors.nonNegative("spec.replicas", spec.replicas);
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    validateWorkloadSelector(errors, spec.selector, "deployment");
    validateSelectedTemplate(errors, spec, "ReplicaSet");
  },
  validateUpdate: validateSelectorStays,
  subresources: {
    status(errors, { status }, old) {
      validateStatus(errors, { status, old: old.status }, REPLICA_STATUS);
    },
  },
};
