import type { ReplicaSet } from "../../generated/types/apps-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateLongRunning } from "../workload.ts";

export const REPLICA_SET: KindRules<ReplicaSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    const { selector, template } = spec;
    validateLongRunning(errors, { kind: "ReplicaSet", selector, template });
    errors.nonNegative("spec.replicas", spec.replicas);
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
  },
  validateUpdate(errors, { spec }, old) {
    validateImmutable(errors, "spec.selector", { now: spec?.selector, old: old.spec?.selector });
  },
};
