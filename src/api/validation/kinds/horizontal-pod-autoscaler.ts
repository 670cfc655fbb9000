import type { HorizontalPodAutoscaler } from "../../generated/types/autoscaling-v2.ts";
import type { KindRules } from "../kind-rules.ts";

export const HORIZONTAL_POD_AUTOSCALER: KindRules<HorizontalPodAutoscaler> = {
  validate(errors, { spec }) {
    const { minReplicas, maxReplicas = 0, scaleTargetRef } = spec ?? {};
    if (minReplicas !== undefined && minReplicas < 1) {
      errors.invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1");
    }
    if (maxReplicas < 1) errors.invalid("spec.maxReplicas", maxReplicas, "must be greater than 0");
    else if (minReplicas !== undefined && maxReplicas < minReplicas) {
      const detail = "must be greater than or equal to `minReplicas`";
      errors.invalid("spec.maxReplicas", maxReplicas, detail);
    }
    errors.present("spec.scaleTargetRef.kind", scaleTargetRef?.kind);
    errors.present("spec.scaleTargetRef.name", scaleTargetRef?.name);
  },
};
