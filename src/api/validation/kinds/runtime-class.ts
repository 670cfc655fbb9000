import { deepEqual } from "../../../lib/deep-equal.ts";
import { dns1123LabelErrors } from "../../../lib/names.ts";
import type { RuntimeClass } from "../../generated/types/node-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable, validateLabels } from "../metadata.ts";
import { validateResources } from "../pod/resources.ts";
import { validateTolerations } from "../pod/scheduling.ts";

export const RUNTIME_CLASS: KindRules<RuntimeClass> = {
  validate(errors, { handler, overhead, scheduling }) {
    errors.complaints("handler", handler, dns1123LabelErrors(handler ?? ""));
    if (overhead?.podFixed) {
      validateResources(errors, "overhead", { resources: { limits: overhead.podFixed } });
    }
    validateLabels(errors, "scheduling.nodeSelector", scheduling?.nodeSelector);
    const tolerations = scheduling?.tolerations ?? [];
    validateTolerations(errors, "scheduling.tolerations", tolerations);
    for (const [index, toleration] of tolerations.entries()) {
      const first = tolerations.findIndex((other) => deepEqual(other, toleration));
      if (first < index) errors.duplicate(`scheduling.tolerations[${index}]`, toleration);
    }
  },
  validateUpdate(errors, now, old) {
    validateImmutable(errors, "handler", { now: now.handler, old: old.handler });
  },
};
