import type { Pod } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validatePod, validatePodUpdate } from "../pod/pod-spec.ts";

export const POD: KindRules<Pod> = {
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  updateOnly: true,
};
