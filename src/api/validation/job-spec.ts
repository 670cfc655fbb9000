import type { JobSpec } from "../generated/types/batch-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { validatePodTemplate } from "./pod/pod-spec.ts";

export function validateJobSpec(errors: FieldErrors, field: string, spec: JobSpec): void {
  for (const name of [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
    "ttlSecondsAfterFinished",
  ] as const) {
    errors.nonNegative(`${field}.${name}`, spec[name]);
  }
  errors.oneOf(`${field}.completionMode`, spec.completionMode, ["Indexed", "NonIndexed"]);
  if (spec.completionMode === "Indexed" && spec.completions === undefined) {
    const detail = `when completion mode is Indexed`;
    errors.required(`${field}.completions`, detail);
  }
  validatePodTemplate(errors, `${field}.template`, spec.template);
  const policies = ["Never", "OnFailure"];
  const policy = spec.template?.spec?.restartPolicy;
  if (policy === undefined || policy === "Always") {
    errors.required(`${field}.template.spec.restartPolicy`, `valid values: "OnFailure", "Never"`);
  } else errors.oneOf(`${field}.template.spec.restartPolicy`, policy, policies);
  if (spec.podFailurePolicy && policy !== "Never") {
    const detail = 'only "Never" is supported when podFailurePolicy is specified';
    errors.invalid(`${field}.template.spec.restartPolicy`, policy, detail);
  }
}
