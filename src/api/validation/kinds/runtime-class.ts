import { dns1123LabelErrors } from "../../../lib/names.ts";
import type { RuntimeClass } from "../../generated/types/node-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

export const RUNTIME_CLASS: KindRules<RuntimeClass> = {
  validate(errors, { handler }) {
    errors.complaints("handler", handler, dns1123LabelErrors(handler ?? ""));
  },
  validateUpdate(errors, now, old) {
    validateImmutable(errors, "handler", { now: now.handler, old: old.handler });
  },
};
