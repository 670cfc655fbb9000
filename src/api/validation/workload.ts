import { matchesSelector } from "../../lib/labels.ts";
import type { PodTemplateSpec } from "../generated/types/core-v1.ts";
import type { LabelSelector } from "../generated/types/meta-v1.ts";
import { FieldErrors } from "./field-errors.ts";
import { goIntOrString, goMap, goSelector } from "./go-text.ts";
import { validateImmutable } from "./metadata.ts";
import { validatePodTemplate } from "./pod/pod-spec.ts";
import { validateCountOrPercent, validateSelector } from "./values.ts";

const LABELS = "spec.template.metadata.labels";

/** The selector of a workload, which must choose something. */
export function validateWorkloadSelector(
  errors: FieldErrors,
  selector: LabelSelector | undefined,
  kind: string,
): void {
  if (!selector) return errors.required("spec.selector");
  validateSelector(errors, "spec.selector", selector);
  if (!isEmptySelector(selector)) return;
  errors.invalid("spec.selector", goSelector(selector), `empty selector is invalid for ${kind}`);
}

export function isEmptySelector({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels ?? {}).length + (matchExpressions ?? []).length === 0;
}

/** Which pods a workload has is said once and for all. */
export function validateSelectorStays(
  errors: FieldErrors,
  { spec }: { spec?: { selector?: LabelSelector } },
  old: { spec?: { selector?: LabelSelector } },
): void {
  const values = { now: spec?.selector, old: old.spec?.selector };
  validateImmutable(errors, "spec.selector", { ...values, shown: goSelector(spec?.selector) });
}

/** The selector has to choose the pods that the template makes; an empty one chooses none. */
export function validateSelected(
  errors: FieldErrors,
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
): void {
  if (!template || (selector && selects(selector, template))) return;
  const detail = "`selector` does not match template `labels`";
  errors.invalid(LABELS, goMap(template.metadata?.labels), detail);
}

/** What cannot be read as a selector is complained about elsewhere. */
function selects(selector: LabelSelector, template: PodTemplateSpec): boolean {
  return !isReadable(selector) || matchesSelector(selector, template.metadata?.labels);
}

/** Whether a selector can choose at all: its operators are known, and keys and values labels. */
export function isReadable(selector: LabelSelector): boolean {
  const errors = new FieldErrors();
  validateSelector(errors, "", selector);
  return errors.causes.length === 0;
}

/** The template of a workload that keeps its pods running. */
export function validateRunningTemplate(
  errors: FieldErrors,
  template: PodTemplateSpec | undefined,
  kind: string,
): void {
  validatePodTemplate(errors, "spec.template", template);
  validateKeptRunning(errors, template, kind);
}

/** The template of a ReplicaSet, or of what makes them; judged when the selector can be read. */
export function validateSelectedTemplate(
  errors: FieldErrors,
  { selector, template }: { selector?: LabelSelector; template?: PodTemplateSpec },
  kind: string,
): void {
  if (selector && !isReadable(selector)) {
    return errors.invalid("spec.selector", goSelector(selector), "invalid label selector");
  }
  validateSelected(errors, template, selector);
  validateRunningTemplate(errors, template, kind);
}

/** Pods that end are started again, so nothing may say that they end. */
export function validateKeptRunning(
  errors: FieldErrors,
  template: PodTemplateSpec | undefined,
  kind: string,
): void {
  const spec = template?.spec;
  errors.oneOf("spec.template.spec.restartPolicy", spec?.restartPolicy, ["Always"]);
  if (spec?.activeDeadlineSeconds === undefined) return;
  const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
  errors.forbidden("spec.template.spec.activeDeadlineSeconds", detail);
}

type Amount = number | string | undefined;

/** How many pods at a time a rollout may take or add. */
export function validateRolling(
  errors: FieldErrors,
  field: string,
  rolling: { maxSurge?: Amount; maxUnavailable?: Amount },
): void {
  validateCountOrPercent(errors, `${field}.maxUnavailable`, rolling.maxUnavailable);
  validateCountOrPercent(errors, `${field}.maxSurge`, rolling.maxSurge);
}

/** Whether a count or share is none at all. */
export function isNone(value: Amount): boolean {
  if (typeof value !== "string") return !value;
  return !/^[0-9]+%?$/.test(value) || Number.parseInt(value, 10) === 0;
}

/** A share that is not more than everything. */
export function validateShare(errors: FieldErrors, field: string, value: Amount): void {
  if (typeof value !== "string" || !/^[0-9]+%$/.test(value)) return;
  if (Number.parseInt(value, 10) > 100) {
    errors.invalid(field, goIntOrString(value), "must not be greater than 100%");
  }
}

type Counts = Readonly<Record<string, unknown>>;

/** Rules of the numbers in the status of a workload. */
export interface StatusRules {
  counts: readonly string[];
  /** These are not more than the count after them. */
  parts?: readonly (readonly [part: string, whole: string, text?: string])[];
}

/** Numbers of a status: not negative, parts not more than the whole, collisions never fewer. */
export function validateStatus(
  errors: FieldErrors,
  { status = {}, old = {} }: { status: object | undefined; old: object | undefined },
  rules: StatusRules,
): void {
  const now = status as Counts;
  for (const name of rules.counts) {
    errors.nonNegative(`status.${name}`, now[name] as number | undefined);
  }
  for (const [part, whole, text = `status.${whole}`] of rules.parts ?? []) {
    if (Number(now[part] ?? 0) <= Number(now[whole] ?? 0)) continue;
    errors.invalid(`status.${part}`, now[part] ?? 0, `cannot be greater than ${text}`);
  }
  const before = (old as Counts)["collisionCount"];
  const collisions = Number(now["collisionCount"] ?? 0);
  if (before !== undefined && collisions < Number(before)) {
    errors.invalid("status.collisionCount", collisions, "cannot be decremented");
  }
}

/** What ReplicaSets and ReplicationControllers report. */
export const REPLICA_STATUS: StatusRules = {
  counts: [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "observedGeneration",
  ],
  parts: [
    ["fullyLabeledReplicas", "replicas"],
    ["readyReplicas", "replicas"],
    ["availableReplicas", "replicas"],
    ["availableReplicas", "readyReplicas", "readyReplicas"],
  ],
};
