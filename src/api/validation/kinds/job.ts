import { deepEqual } from "../../../lib/deep-equal.ts";
import { copyJson } from "../../../lib/json-copy.ts";
import { dns1123LabelErrors } from "../../../lib/names.ts";
import { matchesSelector } from "../../../lib/labels.ts";
import type { Job } from "../../generated/types/batch-v1.ts";
import type { PodTemplateSpec } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goMap, goSelector } from "../go-text.ts";
import { validateJobSpec } from "../job-spec.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { validateSelector } from "../values.ts";
import { isReadable, validateSelected, validateStatus } from "../workload.ts";

const FIXED = [
  "completionMode",
  "podFailurePolicy",
  "backoffLimitPerIndex",
  "managedBy",
  "successPolicy",
] as const;

export const JOB: KindRules<Job> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    validateJobSpec(errors, "spec", spec);
    if (!spec.selector) {
      errors.required("spec.selector");
    } else validateSelector(errors, "spec.selector", spec.selector);
    validateSelected(errors, spec.template, spec.selector);
  },
  validateCreate(errors, job) {
    validateGenerated(errors, job);
    validateHostnames(errors, job);
  },
  validateUpdate(errors, job, old) {
    const [spec, before] = [job.spec, old.spec];
    if (!spec || !before) return;
    validateCompletions(errors, job, old);
    const selectors = { now: spec.selector, old: before.selector };
    const shown = goSelector(spec.selector);
    validateImmutable(errors, "spec.selector", { ...selectors, shown });
    const waits = before.suspend === true && !old.status?.startTime;
    const template = waits ? withPlacementOf(spec.template, before.template) : spec.template;
    validateImmutable(errors, "spec.template", { now: template, old: before.template });
    for (const name of FIXED) {
      validateImmutable(errors, `spec.${name}`, { now: spec[name], old: before[name] });
    }
  },
  subresources: {
    status(errors, { status }, old) {
      const counts = ["active", "succeeded", "failed", "terminating", "ready"];
      const parts = [["ready", "active", "active"]] as const;
      validateStatus(errors, { status, old: old.status }, { counts, parts });
    },
  },
};

/** Labels and selector that the server makes must be those of this very job. */
function validateGenerated(errors: FieldErrors, { metadata = {}, spec }: Job): void {
  if (!spec?.selector || spec.manualSelector) return;
  const { uid = "", name = "" } = metadata;
  const expected: Record<string, string> = {
    "controller-uid": uid,
    "batch.kubernetes.io/controller-uid": uid,
    "job-name": name,
    "batch.kubernetes.io/job-name": name,
  };
  const labels = spec.template?.metadata?.labels ?? {};
  for (const [label, value] of Object.entries(expected)) {
    const field = `spec.template.metadata.labels[${label}]`;
    if (labels[label] === undefined) errors.required(field, `must be '${value}'`);
    else if (labels[label] !== value) errors.invalid(field, goMap(labels), `must be '${value}'`);
  }
  if (isReadable(spec.selector) && !matchesSelector(spec.selector, expected)) {
    errors.invalid("spec.selector", goSelector(spec.selector), "`selector` not auto-generated");
  }
}

/** Pods with an index are called by it as hosts. */
function validateHostnames(errors: FieldErrors, { metadata, spec }: Job): void {
  const { completionMode, completions = 0 } = spec ?? {};
  if (completionMode !== "Indexed" || completions <= 0) return;
  const name = metadata?.name ?? "";
  const hostname = `${name}-${completions - 1}`;
  if (dns1123LabelErrors(hostname).length === 0) return;
  const detail = `will not able to create pod with invalid DNS label: ${hostname}`;
  errors.invalid("metadata.name", name, detail);
}

/** Jobs whose pods have indexes may grow and shrink with their parallelism. */
function validateCompletions(errors: FieldErrors, job: Job, old: Job): void {
  const [now, before] = [job.spec, old.spec];
  if (now?.completions === before?.completions) return;
  if (now?.completionMode !== "Indexed") {
    const values = { now: now?.completions, old: before?.completions };
    return validateImmutable(errors, "spec.completions", values);
  }
  if (now.completions === undefined || now.completions === now.parallelism) return;
  const detail = "can only be modified in tandem with spec.parallelism";
  errors.invalid("spec.completions", now.completions, detail);
}

/** The template with what places its pods as it was: that may change until the job starts. */
function withPlacementOf(
  template: PodTemplateSpec,
  old: PodTemplateSpec | undefined,
): PodTemplateSpec {
  if (!old?.spec || !template?.spec) return template;
  const { nodeSelector, tolerations, schedulingGates, affinity } = old.spec;
  const { labels, annotations } = old.metadata ?? {};
  const copy = copyJson(template);
  const set = (to: object, values: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete (to as Record<string, unknown>)[name];
      else (to as Record<string, unknown>)[name] = value;
    }
  };
  set(copy.spec ?? {}, { nodeSelector, tolerations, schedulingGates });
  set((copy.metadata ??= {}), { labels, annotations });
  const { nodeAffinity: _, ...others } = copy.spec?.affinity ?? {};
  const { nodeAffinity, ...before } = affinity ?? {};
  if (deepEqual(others, before)) set(copy.spec ?? {}, { affinity });
  else set(copy.spec ?? {}, { affinity: { ...others, ...(nodeAffinity ? { nodeAffinity } : {}) } });
  if (!old.metadata && Object.keys(copy.metadata).length === 0) delete copy.metadata;
  return copy;
}
