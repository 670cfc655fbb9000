import { matchesSelector } from "../../lib/labels.ts";
import type { PodTemplateSpec } from "../generated/types/core-v1.ts";
import type { LabelSelector } from "../generated/types/meta-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { validatePodTemplate } from "./pod/pod-spec.ts";
import { validateCountOrPercent, validateSelector } from "./values.ts";

/** What workloads that keep pods running have in common. */
interface LongRunning {
  kind: string;
  selector: LabelSelector | undefined;
  template: PodTemplateSpec | undefined;
}

export function validateLongRunning(errors: FieldErrors, workload: LongRunning): void {
  const { selector, template, kind } = workload;
  if (!selector) errors.required("spec.selector");
  else {
    validateSelector(errors, "spec.selector", selector);
    if (isEmptySelector(selector)) {
      errors.invalid("spec.selector", selector, `empty selector is invalid for ${kind}`);
    } else if (template && !selects(selector, template)) {
      const labels = template.metadata?.labels ?? {};
      const detail = "`selector` does not match template `labels`";
      errors.invalid("spec.template.metadata.labels", labels, detail);
    }
  }
  validatePodTemplate(errors, "spec.template", template);
  const spec = template?.spec;
  errors.oneOf("spec.template.spec.restartPolicy", spec?.restartPolicy, ["Always"]);
  if (spec?.activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.forbidden("spec.template.spec.activeDeadlineSeconds", detail);
  }
}

function isEmptySelector({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels ?? {}).length + (matchExpressions ?? []).length === 0;
}

/** Selectors with unknown operators are complained about elsewhere. */
export function selects(selector: LabelSelector, template: PodTemplateSpec): boolean {
  const known = ["In", "NotIn", "Exists", "DoesNotExist"];
  if (!(selector.matchExpressions ?? []).every(({ operator }) => known.includes(operator))) {
    return true;
  }
  return matchesSelector(selector, template.metadata?.labels);
}

type Rolling = { maxSurge?: number | string; maxUnavailable?: number | string };

export function validateRolling(errors: FieldErrors, field: string, rolling: Rolling): void {
  const { maxSurge, maxUnavailable } = rolling;
  validateCountOrPercent(errors, `${field}.maxUnavailable`, maxUnavailable);
  validateCountOrPercent(errors, `${field}.maxSurge`, maxSurge);
  const isNone = (value: number | string | undefined) => value === 0 || value === "0%";
  if (isNone(maxSurge) && isNone(maxUnavailable)) {
    const detail = "may not be 0 when `maxSurge` is 0";
    errors.invalid(`${field}.maxUnavailable`, maxUnavailable, detail);
  }
  if (typeof maxUnavailable === "string" && Number.parseInt(maxUnavailable, 10) > 100) {
    errors.invalid(`${field}.maxUnavailable`, maxUnavailable, "must not be greater than 100%");
  }
}
