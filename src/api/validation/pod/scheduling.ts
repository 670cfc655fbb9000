import { labelValueErrors, qualifiedNameErrors } from "../../../lib/names.ts";
import type {
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { validateSelector } from "../values.ts";
import { validateAffinity } from "./affinity.ts";

export const TAINT_EFFECTS: readonly string[] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const NODE_POLICIES: readonly string[] = ["Honor", "Ignore"];

/** Where and when a pod may be placed. */
export function validateScheduling(errors: FieldErrors, field: string, spec: PodSpec): void {
  if (spec.affinity) validateAffinity(errors, `${field}.affinity`, spec.affinity);
  const names = new Set<string>();
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
    const path = `${field}.schedulingGates[${index}]`;
    errors.complaints(path, name, qualifiedNameErrors(name ?? ""));
    if (names.has(name)) errors.duplicate(path, name);
    names.add(name);
  }
  const constraints = spec.topologySpreadConstraints ?? [];
  for (const [index, constraint] of constraints.entries()) {
    const path = `${field}.topologySpreadConstraints[${index}]`;
    validateSpread(errors, path, { constraint, others: constraints.slice(index + 1) });
  }
  validateTolerations(errors, `${field}.tolerations`, spec.tolerations ?? []);
}

function validateSpread(
  errors: FieldErrors,
  path: string,
  of: { constraint: TopologySpreadConstraint; others: readonly TopologySpreadConstraint[] },
): void {
  const { topologyKey, minDomains } = of.constraint;
  const maxSkew = of.constraint.maxSkew ?? 0;
  const whenUnsatisfiable: string = of.constraint.whenUnsatisfiable ?? "";
  const { nodeAffinityPolicy, nodeTaintsPolicy, labelSelector } = of.constraint;
  if (!(maxSkew > 0)) errors.invalid(`${path}.maxSkew`, maxSkew, "must be greater than zero");
  if (!topologyKey) errors.required(`${path}.topologyKey`, "can not be empty");
  const actions = ["DoNotSchedule", "ScheduleAnyway"];
  errors.oneOf(`${path}.whenUnsatisfiable`, whenUnsatisfiable, actions);
  const identity = `${topologyKey}/${whenUnsatisfiable}`;
  const repeated = of.others.some(
    (other) => `${other.topologyKey}/${other.whenUnsatisfiable ?? ""}` === identity,
  );
  if (repeated) {
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    errors.duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, pair);
  }
  if (minDomains !== undefined) {
    const place = `${path}.minDomains`;
    if (minDomains <= 0) errors.invalid(place, minDomains, "must be greater than zero");
    if (whenUnsatisfiable !== "DoNotSchedule") {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.invalid(place, minDomains, detail);
    }
  }
  errors.oneOf(`${path}.nodeAffinityPolicy`, nodeAffinityPolicy, NODE_POLICIES);
  errors.oneOf(`${path}.nodeTaintsPolicy`, nodeTaintsPolicy, NODE_POLICIES);
  validateMatchLabelKeys(errors, `${path}.matchLabelKeys`, of.constraint);
  validateSelector(errors, `${path}.labelSelector`, labelSelector);
}

function validateMatchLabelKeys(
  errors: FieldErrors,
  field: string,
  { matchLabelKeys = [], labelSelector }: TopologySpreadConstraint,
): void {
  if (matchLabelKeys.length === 0) return;
  if (!labelSelector) {
    errors.forbidden(field, "must not be specified when labelSelector is not set");
  }
  const selected = [
    ...Object.keys(labelSelector?.matchLabels ?? {}),
    ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key),
  ];
  for (const [index, key] of matchLabelKeys.entries()) {
    errors.complaints(`${field}[${index}]`, key, qualifiedNameErrors(key));
    if (selected.includes(key)) {
      errors.invalid(`${field}[${index}]`, key, "exists in both matchLabelKeys and labelSelector");
    }
  }
}

/** Taints that a pod does not mind. */
export function validateTolerations(
  errors: FieldErrors,
  field: string,
  tolerations: readonly Toleration[],
): void {
  for (const [index, toleration] of tolerations.entries()) {
    const path = `${field}[${index}]`;
    const { key = "", operator = "", value = "", effect = "", tolerationSeconds } = toleration;
    if (key) errors.complaints(`${path}.key`, key, qualifiedNameErrors(key));
    else if (operator !== "Exists") {
      const detail =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.invalid(`${path}.operator`, operator, detail);
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.invalid(`${path}.effect`, effect, detail);
    }
    if (operator === "Exists") {
      if (value) {
        const detail = "value must be empty when `operator` is 'Exists'";
        errors.invalid(`${path}.operator`, value, detail);
      }
    } else if (operator === "Equal" || operator === "") {
      const complaints = labelValueErrors(value);
      if (complaints.length > 0) errors.invalid(`${path}.operator`, value, complaints.join(";"));
    } else errors.notSupported(`${path}.operator`, operator, ["Equal", "Exists"]);
    if (effect) errors.oneOf(`${path}.effect`, effect, TAINT_EFFECTS);
  }
}
