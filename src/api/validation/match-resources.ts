import { pathSegmentErrors } from "../../lib/names.ts";
import type { MatchResources } from "../generated/types/admissionregistration-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { validateAdmissionRule } from "./admission-rule.ts";
import { validateSelector } from "./values.ts";

/** What a policy or binding matches; defaults are filled in before. */
export function validateMatchResources(
  errors: FieldErrors,
  field: string,
  match: MatchResources,
): void {
  errors.oneOf(`${field}.matchPolicy`, match.matchPolicy, ["Equivalent", "Exact"]);
  validateSelector(errors, `${field}.namespaceSelector`, match.namespaceSelector);
  validateSelector(errors, `${field}.objectSelector`, match.objectSelector);
  for (const name of ["resourceRules", "excludeResourceRules"] as const) {
    for (const [at, rule] of (match[name] ?? []).entries()) {
      const place = `${field}.${name}[${at}]`;
      const seen = new Set<string>();
      for (const [index, resource] of (rule.resourceNames ?? []).entries()) {
        const item = `${place}.resourceNames[${index}]`;
        errors.complaints(item, resource, pathSegmentErrors(resource));
        if (seen.has(resource)) errors.duplicate(item, resource);
        seen.add(resource);
      }
      validateAdmissionRule(errors, place, rule);
    }
  }
}
