import { pathSegmentErrors } from "../../../lib/names.ts";
import type { Role } from "../../generated/types/rbac-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateRule } from "../rbac.ts";

export const ROLE: KindRules<Role> = {
  nameRule: pathSegmentErrors,
  validate(errors, { rules }) {
    for (const [index, rule] of (rules ?? []).entries()) {
      validateRule(errors, rule, { field: `rules[${index}]`, namespaced: true });
    }
  },
};
