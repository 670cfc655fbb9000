import { dns1123LabelErrors } from "../../../lib/names.ts";
import type { RuntimeClass } from "../../generated/types/node-v1.ts";
import { goStruct } from "../go-struct.ts";
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
    // Upstream names the list twice in the path.
    validateTolerations(errors, "scheduling.tolerations.tolerations", tolerations);
    const seen = new Set<string>();
    for (const [index, { key, operator, value, effect, ...rest }] of tolerations.entries()) {
      const identity = JSON.stringify([key ?? "", operator ?? "", value ?? "", effect ?? ""]);
      const toleration = { key, operator, value, effect, ...rest };
      if (seen.has(identity)) {
        const shown = goStruct("core.Toleration", toleration);
        errors.duplicate(`scheduling.tolerations[${index}]`, shown);
      }
      seen.add(identity);
    }
  },
  validateUpdate(errors, now, old) {
    validateImmutable(errors, "handler", { now: now.handler, old: old.handler });
  },
};
