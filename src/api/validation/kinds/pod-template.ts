import type { PodTemplate } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validatePodTemplate } from "../pod/pod-spec.ts";

export const POD_TEMPLATE: KindRules<PodTemplate> = {
  validate(errors, { template }) {
    validatePodTemplate(errors, "template", template);
  },
};
