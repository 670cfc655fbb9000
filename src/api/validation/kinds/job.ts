import type { Job } from "../../generated/types/batch-v1.ts";
import { validateJobSpec } from "../job-spec.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { selects } from "../workload.ts";

export const JOB: KindRules<Job> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    validateJobSpec(errors, "spec", spec);
    if (!spec.selector && spec.manualSelector) errors.required("spec.selector");
    else if (spec.selector && spec.template && !selects(spec.selector, spec.template)) {
      const labels = spec.template.metadata?.labels ?? {};
      const detail = "`selector` does not match template `labels`";
      errors.invalid("spec.template.metadata.labels", labels, detail);
    }
  },
  validateUpdate(errors, { spec }, old) {
    const before = old.spec;
    for (const name of ["selector", "completionMode", "podFailurePolicy"] as const) {
      validateImmutable(errors, `spec.${name}`, { now: spec?.[name], old: before?.[name] });
    }
    if (spec?.completionMode !== "Indexed") {
      const values = { now: spec?.completions, old: before?.completions };
      validateImmutable(errors, "spec.completions", values);
    }
    if (before?.suspend && !old.status?.startTime) return;
    validateImmutable(errors, "spec.template", { now: spec?.template, old: before?.template });
  },
};
