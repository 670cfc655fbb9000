import type { ReplicationController } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateLongRunning } from "../workload.ts";

export const REPLICATION_CONTROLLER: KindRules<ReplicationController> = {
  validate(errors, { spec }) {
    errors.nonNegative("spec.replicas", spec?.replicas);
    errors.nonNegative("spec.minReadySeconds", spec?.minReadySeconds);
    const selector = spec?.selector ?? {};
    if (Object.keys(selector).length === 0) errors.required("spec.selector");
    const matchLabels = { matchLabels: selector };
    validateLongRunning(errors, {
      kind: "ReplicationController",
      selector: matchLabels,
      template: spec?.template,
    });
  },
};
