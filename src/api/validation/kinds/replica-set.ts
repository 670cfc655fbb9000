import type { ReplicaSet } from "../../generated/types/apps-v1.ts";
import { goSelector } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import {
  REPLICA_STATUS,
  validateSelectedTemplate,
  validateStatus,
  validateWorkloadSelector,
} from "../workload.ts";

export const REPLICA_SET: KindRules<ReplicaSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    errors.nonNegative("spec.replicas", spec.replicas);
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    validateWorkloadSelector(errors, spec.selector, "deployment");
    validateSelectedTemplate(errors, spec, "ReplicaSet");
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
