import type { PodTemplateSpec, ReplicationController } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goMap } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { REPLICA_STATUS, validateRunningTemplate, validateStatus } from "../workload.ts";

/** The selector is a plain map: whatever it says, the template's labels have to say too. */
function validateChosen(
  errors: FieldErrors,
  selector: Readonly<Record<string, string>>,
  template: PodTemplateSpec | undefined,
): void {
  if (!template) return;
  const labels = template.metadata?.labels ?? {};
  const chosen = Object.entries(selector).every(([key, value]) => labels[key] === value);
  if (chosen) return;
  const detail = "`selector` does not match template `labels`";
  errors.invalid("spec.template.metadata.labels", goMap(template.metadata?.labels), detail);
}

export const REPLICATION_CONTROLLER: KindRules<ReplicationController> = {
  validate(errors, { spec = {} }) {
    const selector = spec.selector ?? {};
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    if (Object.keys(selector).length === 0) errors.required("spec.selector");
    else validateChosen(errors, selector, spec.template);
    errors.nonNegative("spec.replicas", spec.replicas);
    validateRunningTemplate(errors, spec.template, "ReplicationController");
  },
  subresources: {
    status(errors, { status }, old) {
      validateStatus(errors, { status, old: old.status }, REPLICA_STATUS);
    },
  },
};
