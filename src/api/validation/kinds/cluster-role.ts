import { pathSegmentErrors } from "../../../lib/names.ts";
import type { ClusterRole } from "../../generated/types/rbac-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateRule } from "../rbac.ts";
import { validateSelector } from "../values.ts";
import { isReadable } from "../workload.ts";

export const CLUSTER_ROLE: KindRules<ClusterRole> = {
  nameRule: pathSegmentErrors,
  validate(errors, { rules, aggregationRule }) {
    for (const [index, rule] of (rules ?? []).entries()) {
      validateRule(errors, rule, { field: `rules[${index}]`, namespaced: false });
    }
    const selectors = aggregationRule?.clusterRoleSelectors ?? [];
    if (aggregationRule && selectors.length === 0) {
      const detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
      errors.required("aggregationRule.clusterRoleSelectors", detail);
    }
    for (const [index, selector] of selectors.entries()) {
      const field = `aggregationRule.clusterRoleSelectors[${index}]`;
      validateSelector(errors, field, selector);
      if (!isReadable(selector)) errors.invalid(field, undefined, "invalid label selector.");
    }
  },
};
