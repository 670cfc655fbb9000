import type { PodDisruptionBudget } from "../../generated/types/policy-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateCountOrPercent, validateSelector } from "../values.ts";

export const POD_DISRUPTION_BUDGET: KindRules<PodDisruptionBudget> = {
  validate(errors, { spec = {} }) {
    const { minAvailable, maxUnavailable } = spec;
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      errors.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
    }
    validateCountOrPercent(errors, "spec.minAvailable", minAvailable);
    validateCountOrPercent(errors, "spec.maxUnavailable", maxUnavailable);
    validateSelector(errors, "spec.selector", spec.selector);
  },
};
