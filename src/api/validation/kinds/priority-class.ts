import type { PriorityClass } from "../../generated/types/scheduling-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

const USER_PRIORITY_MAX = 1_000_000_000;

export const PRIORITY_CLASS: KindRules<PriorityClass> = {
  validateCreate(errors, { metadata, value, preemptionPolicy }) {
    const system = metadata?.name?.startsWith("system-");
    const known = ["system-node-critical", "system-cluster-critical"];
    if (system && !known.includes(metadata?.name ?? "")) {
      const detail =
        "priority class names with 'system-' prefix are reserved for system use only. error: ";
      errors.forbidden(
        "metadata.name",
        `${detail}${metadata?.name} is not a known system priority class`,
      );
    }
    if (!system && value > USER_PRIORITY_MAX) {
      const detail = `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`;
      errors.forbidden("value", detail);
    }
    const policies = ["PreemptLowerPriority", "Never"];
    if (preemptionPolicy !== undefined) {
      errors.required1Of("preemptionPolicy", preemptionPolicy, policies);
    }
  },
  validateUpdate(errors, now, old) {
    if (now.value !== old.value) errors.forbidden("value", "may not be changed in an update.");
    const values = { now: now.preemptionPolicy, old: old.preemptionPolicy };
    validateImmutable(errors, "preemptionPolicy", values);
  },
};
