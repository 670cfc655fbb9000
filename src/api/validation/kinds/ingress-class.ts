import type { IngressClass } from "../../generated/types/networking-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

export const INGRESS_CLASS: KindRules<IngressClass> = {
  validate(errors, { spec }) {
    errors.present("spec.controller", spec?.controller);
  },
  validateUpdate(errors, { spec }, old) {
    const values = { now: spec?.controller, old: old.spec?.controller };
    validateImmutable(errors, "spec.controller", values);
  },
};
