import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type {
  Affinity,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { validateSelector } from "../values.ts";

const WEIGHTS = [1, 100] as const;
const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
const OPERATORS: Readonly<Record<string, [needs: number, text: string]>> = {
  In: [2, "must be specified when `operator` is 'In' or 'NotIn'"],
  NotIn: [2, "must be specified when `operator` is 'In' or 'NotIn'"],
  Exists: [0, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"],
  DoesNotExist: [0, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"],
  Gt: [1, "must be specified single value when `operator` is 'Lt' or 'Gt'"],
  Lt: [1, "must be specified single value when `operator` is 'Lt' or 'Gt'"],
};

/** Where a pod wants to stand. */
export function validateAffinity(errors: FieldErrors, field: string, affinity: Affinity): void {
  const node = affinity.nodeAffinity;
  const required = node?.[REQUIRED];
  if (required) {
    const path = `${field}.nodeAffinity.${REQUIRED}.nodeSelectorTerms`;
    const terms = required.nodeSelectorTerms ?? [];
    if (terms.length === 0) errors.required(path, "must have at least one node selector term");
    for (const [index, term] of terms.entries()) validateTerm(errors, `${path}[${index}]`, term);
  }
  for (const [index, { weight, preference }] of (node?.[PREFERRED] ?? []).entries()) {
    const path = `${field}.nodeAffinity.${PREFERRED}[${index}]`;
    validateWeight(errors, `${path}.weight`, weight);
    validateTerm(errors, `${path}.preference`, preference ?? {});
  }
  for (const name of ["podAffinity", "podAntiAffinity"] as const) {
    const rules = affinity[name];
    if (rules) validatePodAffinity(errors, `${field}.${name}`, rules);
  }
}

function validateWeight(errors: FieldErrors, field: string, weight = 0): void {
  if (weight < WEIGHTS[0] || weight > WEIGHTS[1]) {
    errors.invalid(field, weight, "must be in the range 1-100");
  }
}

function validatePodAffinity(errors: FieldErrors, field: string, rules: PodAffinity): void {
  for (const [index, term] of (rules[REQUIRED] ?? []).entries()) {
    validatePodTerm(errors, `${field}.${REQUIRED}[${index}]`, term);
  }
  for (const [index, { weight, podAffinityTerm }] of (rules[PREFERRED] ?? []).entries()) {
    const path = `${field}.${PREFERRED}[${index}]`;
    validateWeight(errors, `${path}.weight`, weight);
    validatePodTerm(errors, `${path}.podAffinityTerm`, podAffinityTerm ?? {});
  }
}

function validatePodTerm(errors: FieldErrors, field: string, term: Partial<PodAffinityTerm>): void {
  validateSelector(errors, `${field}.labelSelector`, term.labelSelector);
  validateSelector(errors, `${field}.namespaceSelector`, term.namespaceSelector);
  for (const name of term.namespaces ?? []) {
    errors.complaints(`${field}.namespace`, name, dns1123LabelErrors(name));
  }
  validateLabelKeys(errors, field, term);
  const key = term.topologyKey ?? "";
  if (key === "") errors.required(`${field}.topologyKey`, "can not be empty");
  errors.complaints(`${field}.topologyKey`, key, qualifiedNameErrors(key));
}

/** Labels of the pod itself that narrow the selector, or widen it. */
function validateLabelKeys(
  errors: FieldErrors,
  field: string,
  term: Partial<PodAffinityTerm>,
): void {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  for (const [name, keys] of Object.entries({ matchLabelKeys, mismatchLabelKeys })) {
    if (keys.length > 0 && !labelSelector) {
      const detail = "must not be specified when labelSelector is not set";
      errors.forbidden(`${field}.${name}`, detail);
    }
    for (const [index, key] of keys.entries()) {
      errors.complaints(`${field}.${name}[${index}]`, key, qualifiedNameErrors(key));
      if (name === "matchLabelKeys" && mismatchLabelKeys.includes(key)) {
        const detail = "exists in both matchLabelKeys and mismatchLabelKeys";
        errors.invalid(`${field}.${name}[${index}]`, key, detail);
      }
    }
  }
  // A new pod's selector holds each key already once: in a second place, its user named it too.
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    if (seen.has(key) && matchLabelKeys.includes(key)) {
      const detail = "exists in both matchLabelKeys and labelSelector";
      errors.invalid(`${field}[${matchLabelKeys.indexOf(key)}]`, key, detail);
    }
    seen.add(key);
  }
}

/** Conditions on the labels and fields of a node; what no label can be selects nothing. */
export function validateTerm(errors: FieldErrors, field: string, term: NodeSelectorTerm): void {
  for (const [index, { key, operator, values = [] }] of (term.matchExpressions ?? []).entries()) {
    const path = `${field}.matchExpressions[${index}]`;
    const rule = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
    if (!rule) {
      errors.invalid(`${path}.operator`, operator ?? "", "not a valid selector operator");
    } else if (rule[0] === 0 && values.length > 0) {
      errors.forbidden(`${path}.values`, rule[1]);
    } else if (rule[0] === 1 ? values.length !== 1 : rule[0] === 2 && values.length === 0) {
      errors.required(`${path}.values`, rule[1]);
    }
    errors.complaints(`${path}.key`, key, qualifiedNameErrors(key ?? ""));
  }
  for (const [index, { key, operator, values = [] }] of (term.matchFields ?? []).entries()) {
    const path = `${field}.matchFields[${index}]`;
    if (operator !== "In" && operator !== "NotIn") {
      errors.invalid(`${path}.operator`, operator ?? "", "not a valid selector operator");
    } else if (values.length !== 1) {
      const detail =
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.required(`${path}.values`, detail);
    }
    if (key !== "metadata.name") {
      errors.invalid(`${path}.key`, key ?? "", "not a valid field selector key");
    } else {
      for (const [at, value] of values.entries()) {
        errors.complaints(`${path}.values[${at}]`, value, dns1123SubdomainErrors(value));
      }
    }
  }
}
