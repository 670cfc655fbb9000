import type { PriorityClass } from "../../generated/types/scheduling-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

const USER_PRIORITY_MAX = 1_000_000_000;

/** The classes of the cluster itself and their values. */
const SYSTEM: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

/** What keeps a class from being one of the cluster itself. */
function systemComplaint({ metadata, value, globalDefault }: PriorityClass): string | undefined {
  const { name = "" } = metadata ?? {};
  if (!Object.hasOwn(SYSTEM, name)) return `${name} is not a known system priority class`;
  if (value !== SYSTEM[name]) return `value of ${name} PriorityClass must be ${SYSTEM[name]}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

export const PRIORITY_CLASS: KindRules<PriorityClass> = {
  validateCreate(errors, priorityClass) {
    const { metadata, value, preemptionPolicy } = priorityClass;
    const system = metadata?.name?.startsWith("system-");
    const complaint = system ? systemComplaint(priorityClass) : undefined;
    if (complaint) {
      const detail = "priority class names with 'system-' prefix are reserved for system use only.";
      errors.forbidden("metadata.name", `${detail} error: ${complaint}`);
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
