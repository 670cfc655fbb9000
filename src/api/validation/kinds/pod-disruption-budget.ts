import { pathSegmentErrors } from "../../../lib/names.ts";
import type { PodDisruptionBudget } from "../../generated/types/policy-v1.ts";
import { validateConditions } from "../conditions.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateCountOrPercent, validateSelector } from "../values.ts";
import { validateShare, validateStatus } from "../workload.ts";

const COUNTS = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const;

export const POD_DISRUPTION_BUDGET: KindRules<PodDisruptionBudget> = {
  nameRule: pathSegmentErrors,
  metadataLast: true,
  validate(errors, { spec = {} }) {
    const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy } = spec;
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      errors.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
    }
    for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
      validateCountOrPercent(errors, `spec.${name}`, value);
      validateShare(errors, `spec.${name}`, value);
    }
    validateSelector(errors, "spec.selector", spec.selector);
    const field = "spec.unhealthyPodEvictionPolicy";
    errors.oneOf(field, unhealthyPodEvictionPolicy, ["AlwaysAllow", "IfHealthyBudget"]);
  },
  subresources: {
    status(errors, { status }, old) {
      validateConditions(errors, "status.conditions", status?.conditions);
      validateStatus(errors, { status, old: old.status }, { counts: COUNTS });
    },
  },
};
