import { qualifiedNameErrors } from "../../../lib/names.ts";
import type { ResourceQuota } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateAmount } from "../values.ts";

export const RESOURCE_QUOTA: KindRules<ResourceQuota> = {
  validate(errors, { spec }) {
    for (const [name, amount] of Object.entries(spec?.hard ?? {})) {
      const path = `spec.hard[${name}]`;
      errors.complaints(path, name, qualifiedNameErrors(name));
      validateAmount(errors, path, amount);
    }
  },
  validateUpdate(errors, { spec }, old) {
    validateImmutable(errors, "spec.scopes", {
      now: spec?.scopes ?? [],
      old: old.spec?.scopes ?? [],
    });
  },
};
