import { deepEqual } from "../../../lib/deep-equal.ts";
import type { ResourceQuota, ResourceQuotaSpec } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStrings } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateResourceAmount } from "../pod/resources.ts";
import { isStandardQuotaResource, validateQuotaResourceName } from "../resource-names.ts";

const SCOPES: readonly string[] = [
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "PriorityClass",
  "CrossNamespacePodAffinity",
];
const CONFLICTS: readonly (readonly [string, string])[] = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
];
/** Scopes that say it all by their name. */
const PLAIN_SCOPES: readonly string[] = SCOPES.filter((scope) => scope !== "PriorityClass");
const COMPUTE = /^(requests\.|limits\.)?(cpu|memory)$/;

export const RESOURCE_QUOTA: KindRules<ResourceQuota> = {
  validate(errors, { spec = {} }) {
    validateAmounts(errors, "spec.hard", spec.hard);
    validateScopes(errors, spec);
    validateScopeSelector(errors, spec);
  },
  validateUpdate(errors, { spec }, old) {
    const [now, before] = [spec?.scopes ?? [], old.spec?.scopes ?? []];
    if (deepEqual(now.toSorted(), before.toSorted())) return;
    errors.invalid("spec.scopes", goStrings(now, "core.ResourceQuotaScope"), "field is immutable");
  },
  subresources: {
    status(errors, { status }) {
      validateAmounts(errors, "status.hard", status?.hard);
      validateAmounts(errors, "status.used", status?.used);
    },
  },
};

function validateAmounts(
  errors: FieldErrors,
  field: string,
  amounts: Readonly<Record<string, string>> = {},
): void {
  for (const [name, text] of Object.entries(amounts)) {
    validateQuotaResourceName(errors, `${field}[${name}]`, name);
    validateResourceAmount(errors, `${field}[${name}]`, { name, text });
  }
}

/** Whether pods of a scope can be counted by a resource. */
function fits(scope: string, resource: string): boolean {
  if (!SCOPES.includes(scope) || !isStandardQuotaResource(resource)) return true;
  if (resource === "pods") return true;
  return scope !== "BestEffort" && COMPUTE.test(resource);
}

function validateScopes(errors: FieldErrors, { scopes = [], hard = {} }: ResourceQuotaSpec): void {
  const refuse = (detail: string) =>
    errors.invalid("spec.scopes", goStrings(scopes, "core.ResourceQuotaScope"), detail);
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) refuse("unsupported scope");
    for (const name of Object.keys(hard).toSorted()) {
      if (!fits(scope, name)) refuse("unsupported scope applied to resource");
    }
  }
  for (const pair of CONFLICTS) {
    if (pair.every((scope) => (scopes as readonly string[]).includes(scope))) {
      refuse("conflicting scopes");
    }
  }
}

function validateScopeSelector(errors: FieldErrors, spec: ResourceQuotaSpec): void {
  const { scopeSelector, hard = {} } = spec;
  if (!scopeSelector) return;
  const field = "spec.scopeSelector.matchExpressions";
  const requirements = scopeSelector.matchExpressions ?? [];
  for (const { scopeName, operator, values = [] } of requirements) {
    if (!SCOPES.includes(scopeName)) {
      errors.invalid(`${field}.scopeName`, scopeName ?? "", "unsupported scope");
    }
    for (const name of Object.keys(hard).toSorted()) {
      if (fits(scopeName, name)) continue;
      errors.invalid(field, scopeSelector, "unsupported scope applied to resource");
    }
    if (PLAIN_SCOPES.includes(scopeName) && operator !== "Exists") {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, " +
        "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, " +
        "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.invalid(`${field}.operator`, operator, detail);
    }
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        const detail =
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
        errors.required(`${field}.values`, detail);
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        const detail =
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
        errors.invalid(`${field}.values`, goStrings(values), detail);
      }
    } else errors.invalid(`${field}.operator`, operator ?? "", "not a valid selector operator");
  }
  const names: string[] = requirements.map(({ scopeName }) => scopeName);
  for (const pair of CONFLICTS) {
    if (!pair.every((scope) => names.includes(scope))) continue;
    errors.invalid(field, goStrings(spec.scopes, "core.ResourceQuotaScope"), "conflicting scopes");
  }
}
