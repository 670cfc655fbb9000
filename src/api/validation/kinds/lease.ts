import type { Lease } from "../../generated/types/coordination-v1.ts";
import type { KindRules } from "../kind-rules.ts";

export const LEASE: KindRules<Lease> = {
  validate(errors, { spec }) {
    const { leaseDurationSeconds, leaseTransitions } = spec ?? {};
    if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
      errors.invalid("spec.leaseDurationSeconds", leaseDurationSeconds, "must be greater than 0");
    }
    if (leaseTransitions !== undefined && leaseTransitions < 0) {
      const detail = "must be greater than or equal to 0";
      errors.invalid("spec.leaseTransitions", leaseTransitions, detail);
    }
  },
};
