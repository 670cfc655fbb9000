import { dns1123SubdomainErrors, pathSegmentErrors } from "../../lib/names.ts";
import type {
  ClusterRoleBinding,
  PolicyRule,
  RoleBinding,
  Subject,
} from "../generated/types/rbac-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { GoText, goStrings } from "./go-text.ts";
import type { KindRules } from "./kind-rules.ts";
import { validateImmutable } from "./metadata.ts";

const GROUP = "rbac.authorization.k8s.io";

export function validateRule(
  errors: FieldErrors,
  rule: PolicyRule,
  at: { field: string; namespaced: boolean },
): void {
  const { apiGroups = [], resources = [], nonResourceURLs = [] } = rule;
  const { field, namespaced } = at;
  if ((rule.verbs ?? []).length === 0) {
    errors.required(`${field}.verbs`, "verbs must contain at least one value");
  }
  if (nonResourceURLs.length > 0) {
    const place = `${field}.nonResourceURLs`;
    if (namespaced) {
      const detail = "namespaced rules cannot apply to non-resource URLs";
      errors.invalid(place, goStrings(nonResourceURLs), detail);
    }
    if (apiGroups.length + resources.length + (rule.resourceNames ?? []).length > 0) {
      const detail = "rules cannot apply to both regular resources and non-resource URLs";
      errors.invalid(place, goStrings(nonResourceURLs), detail);
    }
    return;
  }
  if (apiGroups.length === 0) {
    errors.required(`${field}.apiGroups`, "resource rules must supply at least one api group");
  }
  if (resources.length === 0) {
    errors.required(`${field}.resources`, "resource rules must supply at least one resource");
  }
}

function validateSubject(
  errors: FieldErrors,
  subject: Subject,
  at: { field: string; namespaced: boolean },
): void {
  const { field, namespaced } = at;
  const { kind, name, apiGroup = "", namespace } = subject;
  errors.present(`${field}.name`, name);
  if (kind === "ServiceAccount") {
    if (name) errors.complaints(`${field}.name`, name, dns1123SubdomainErrors(name));
    if (apiGroup) errors.notSupported(`${field}.apiGroup`, apiGroup, [""]);
    if (!namespaced && !namespace) errors.required(`${field}.namespace`);
  } else if (kind === "User" || kind === "Group") {
    if (apiGroup !== GROUP) errors.notSupported(`${field}.apiGroup`, apiGroup, [GROUP]);
  } else errors.notSupported(`${field}.kind`, kind, ["ServiceAccount", "User", "Group"]);
}

/** Rules of both kinds of bindings. */
export function bindingRules(namespaced: boolean): KindRules<RoleBinding | ClusterRoleBinding> {
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  return {
    nameRule: pathSegmentErrors,
    validate(errors, { roleRef, subjects }) {
      const name = roleRef?.name;
      const [apiGroup, kind] = [roleRef?.apiGroup ?? "", roleRef?.kind ?? ""];
      if (apiGroup !== GROUP) errors.notSupported("roleRef.apiGroup", apiGroup, [GROUP]);
      errors.oneOf("roleRef.kind", kind, kinds);
      if (errors.present("roleRef.name", name)) {
        errors.complaints("roleRef.name", name, pathSegmentErrors(name));
      }
      for (const [index, subject] of (subjects ?? []).entries()) {
        validateSubject(errors, subject, { field: `subjects[${index}]`, namespaced });
      }
    },
    validateUpdate(errors, { roleRef }, old) {
      const { apiGroup, kind, name } = roleRef ?? {};
      const fields = Object.entries({ APIGroup: apiGroup, Kind: kind, Name: name });
      const parts = fields.map(([field, value]) => `${field}:${JSON.stringify(value ?? "")}`);
      const shown = new GoText(`rbac.RoleRef{${parts.join(", ")}}`);
      const values = { now: roleRef, old: old.roleRef, detail: "cannot change roleRef" };
      validateImmutable(errors, "roleRef", { ...values, shown });
    },
  };
}
