import type { ReplicationController } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import {
  REPLICA_STATUS,
  validateRunningTemplate,
  validateSelected,
  validateStatus,
} from "../workload.ts";

export const REPLICATION_CONTROLLER: KindRules<ReplicationController> = {
  validate(errors, { spec = {} }) {
    const selector = spec.selector ?? {};
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    if (Object.keys(selector).length === 0) errors.required("spec.selector");
    else validateSelected(errors, spec.template, { matchLabels: selector });
    errors.nonNegative("spec.replicas", spec.replicas);
    validateRunningTemplate(errors, spec.template, "ReplicationController");
  },
  subresources: {
    status(errors, { status }, old) {
      validateStatus(errors, { status, old: old.status }, REPLICA_STATUS);
    },
  },
};
