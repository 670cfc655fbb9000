import { domainPathErrors, qualifiedNameErrors } from "../../lib/names.ts";
import type { JobSpec, PodFailurePolicyRule } from "../generated/types/batch-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { goNumbers, goStruct } from "./go-struct.ts";
import { validatePodTemplate } from "./pod/pod-spec.ts";

const INDEXED_PARALLELISM_MAX = 100_000;
const FAILED_INDEXES_MAX = 100_000;
const SUCCEEDED_INDEXES_SIZE_MAX = 64 * 1024;
const MANY_COMPLETIONS = 100_000;
const MANY_PARALLELISM_MAX = 10_000;
const MANAGED_BY_MAX = 63;
const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
const PATTERNS_MAX = 20;
const COUNTS = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

/** What a job does, of its own or in the template of a CronJob. */
export function validateJobSpec(errors: FieldErrors, field: string, spec: JobSpec): void {
  for (const name of COUNTS) errors.nonNegative(`${field}.${name}`, spec[name]);
  errors.oneOf(`${field}.completionMode`, spec.completionMode, ["NonIndexed", "Indexed"]);
  if (spec.managedBy !== undefined) {
    const place = `${field}.managedBy`;
    if (spec.managedBy === "") errors.required(place);
    else errors.complaints(place, spec.managedBy, domainPathErrors(spec.managedBy));
    if (spec.managedBy.length > MANAGED_BY_MAX) errors.tooLong(place, MANAGED_BY_MAX);
  }
  if (spec.completionMode === "Indexed") validateIndexed(errors, field, spec);
  else {
    for (const name of ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] as const) {
      if (spec[name] === undefined) continue;
      const { successPolicy } = spec;
      const policy = successPolicy && goStruct("batch.SuccessPolicy", successPolicy);
      const shown = name === "successPolicy" ? policy : spec[name];
      errors.invalid(`${field}.${name}`, shown, "requires indexed completion mode");
    }
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.required(`${field}.backoffLimitPerIndex`, "when maxFailedIndexes is specified");
  }
  validateFailurePolicy(errors, `${field}.podFailurePolicy`, spec);
  validateSuccessPolicy(errors, `${field}.successPolicy`, spec);
  const replacement = spec.podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  errors.oneOf(`${field}.podReplacementPolicy`, spec.podReplacementPolicy, replacement);
  validatePodTemplate(errors, `${field}.template`, spec.template);
  validateRestartPolicy(errors, `${field}.template.spec.restartPolicy`, spec);
}

function validateIndexed(errors: FieldErrors, field: string, spec: JobSpec): void {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  if (completions === undefined) {
    errors.required(`${field}.completions`, "when completion mode is Indexed");
  }
  if (parallelism > INDEXED_PARALLELISM_MAX) {
    const detail = `must be less than or equal to ${INDEXED_PARALLELISM_MAX} when completion mode is Indexed`;
    errors.invalid(`${field}.parallelism`, parallelism, detail);
  }
  const most = (max: string | number) =>
    errors.invalid(
      `${field}.maxFailedIndexes`,
      maxFailedIndexes,
      `must be less than or equal to ${max}`,
    );
  if ((maxFailedIndexes ?? 0) > (completions ?? Number.POSITIVE_INFINITY)) most("completions");
  if ((maxFailedIndexes ?? 0) > FAILED_INDEXES_MAX) most(FAILED_INDEXES_MAX);
  if (
    completions === undefined ||
    completions <= MANY_COMPLETIONS ||
    backoffLimitPerIndex === undefined
  ) {
    return;
  }
  const above = `are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  const detail = `must be less than or equal to ${MANY_PARALLELISM_MAX} when completions ${above}`;
  if (maxFailedIndexes === undefined) {
    const detail = `must be specified when completions is above ${MANY_COMPLETIONS}`;
    errors.required(`${field}.maxFailedIndexes`, detail);
  } else if (maxFailedIndexes > MANY_PARALLELISM_MAX) {
    errors.invalid(`${field}.maxFailedIndexes`, maxFailedIndexes, detail);
  }
  if (parallelism > MANY_PARALLELISM_MAX) {
    errors.invalid(`${field}.parallelism`, parallelism, detail);
  }
}

/** A policy for failures decides instead of the node agent, which must not restart anything. */
function validateRestartPolicy(errors: FieldErrors, field: string, spec: JobSpec): void {
  const policy = spec.template?.spec?.restartPolicy;
  const policies = ["OnFailure", "Never"];
  if (policy === undefined || policy === "Always") {
    errors.required(field, 'valid values: "OnFailure", "Never"');
  } else if (!policies.includes(policy)) errors.notSupported(field, policy, policies);
  else if (spec.podFailurePolicy && policy !== "Never") {
    const detail = 'only "Never" is supported when podFailurePolicy is specified';
    errors.invalid(field, policy, detail);
  }
}

function validateFailurePolicy(errors: FieldErrors, field: string, spec: JobSpec): void {
  if (!spec.podFailurePolicy) return;
  const rules = spec.podFailurePolicy.rules ?? [];
  if (rules.length > RULES_MAX) errors.tooMany(`${field}.rules`, rules.length, RULES_MAX);
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = [...containers, ...initContainers].map(({ name }) => name);
  for (const [index, rule] of rules.entries()) {
    const path = `${field}.rules[${index}]`;
    const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
    validateChoice(errors, `${path}.action`, { value: rule.action, of: actions });
    if (rule.action === "FailIndex" && spec.backoffLimitPerIndex === undefined) {
      const detail = "requires the backoffLimitPerIndex to be set";
      errors.invalid(`${path}.action`, rule.action, detail);
    }
    const { onExitCodes, onPodConditions = [] } = rule;
    if (onExitCodes)
      validateExitCodes(errors, `${path}.onExitCodes`, { codes: onExitCodes, names });
    validatePatterns(errors, `${path}.onPodConditions`, onPodConditions);
    if (onExitCodes && onPodConditions.length > 0) {
      const detail = "specifying both OnExitCodes and OnPodConditions is not supported";
      errors.invalidTogether(path, detail);
    } else if (!onExitCodes && onPodConditions.length === 0) {
      const detail = "specifying one of OnExitCodes and OnPodConditions is required";
      errors.invalidTogether(path, detail);
    }
  }
}

/** One of a few values, which are told when there is none. */
function validateChoice(
  errors: FieldErrors,
  field: string,
  { value, of }: { value: string | undefined; of: readonly string[] },
): void {
  const list = of.map((text) => JSON.stringify(text)).join(" ");
  if (!value) errors.required(field, `valid values: [${list}]`);
  else errors.oneOf(field, value, of);
}

function validateExitCodes(
  errors: FieldErrors,
  field: string,
  of: { codes: NonNullable<PodFailurePolicyRule["onExitCodes"]>; names: readonly string[] },
): void {
  const { operator, containerName } = of.codes;
  const values = of.codes.values ?? [];
  validateChoice(errors, `${field}.operator`, { value: operator, of: ["In", "NotIn"] });
  if (containerName !== undefined && !of.names.includes(containerName)) {
    const detail = "must be one of the container or initContainer names in the pod template";
    errors.invalid(`${field}.containerName`, containerName, detail);
  }
  const list = `${field}.values`;
  if (values.length === 0)
    errors.invalid(list, goNumbers(of.codes.values), "at least one value is required");
  else if (values.length > EXIT_CODES_MAX) errors.tooMany(list, values.length, EXIT_CODES_MAX);
  let ordered = true;
  for (const [index, value] of values.entries()) {
    if (operator === "In" && value === 0) {
      errors.invalid(`${list}[${index}]`, value, "must not be 0 for the In operator");
    }
    const earlier = values[index - 1];
    if (earlier === undefined) continue;
    if (values.indexOf(value) < index) errors.duplicate(`${list}[${index}]`, value);
    if (earlier > value && ordered) {
      errors.invalid(list, goNumbers(values), "must be ordered");
      ordered = false;
    }
  }
}

function validatePatterns(
  errors: FieldErrors,
  field: string,
  patterns: NonNullable<PodFailurePolicyRule["onPodConditions"]>,
): void {
  if (patterns.length > PATTERNS_MAX) errors.tooMany(field, patterns.length, PATTERNS_MAX);
  for (const [index, { type, status }] of patterns.entries()) {
    const path = `${field}[${index}]`;
    errors.complaints(`${path}.type`, type ?? "", qualifiedNameErrors(type ?? ""));
    validateChoice(errors, `${path}.status`, { value: status, of: ["False", "True", "Unknown"] });
  }
}

function validateSuccessPolicy(errors: FieldErrors, field: string, spec: JobSpec): void {
  const { completionMode, completions } = spec;
  if (!spec.successPolicy || completionMode !== "Indexed" || completions === undefined) return;
  const rules = spec.successPolicy.rules ?? [];
  if (rules.length === 0) {
    const detail = "at least one rules must be specified when the successPolicy is specified";
    errors.required(`${field}.rules`, detail);
  }
  if (rules.length > RULES_MAX) errors.tooMany(`${field}.rules`, rules.length, RULES_MAX);
  for (const [index, { succeededCount, succeededIndexes }] of rules.entries()) {
    const path = `${field}.rules[${index}]`;
    if (succeededCount === undefined && succeededIndexes === undefined) {
      const detail = "at least one of succeededCount or succeededIndexes must be specified";
      errors.required(path, detail);
    }
    if ((succeededIndexes ?? "").length > SUCCEEDED_INDEXES_SIZE_MAX) {
      errors.tooLong(`${path}.succeededIndexes`, SUCCEEDED_INDEXES_SIZE_MAX);
    }
    const named = countIndexes(succeededIndexes ?? "", completions);
    if (typeof named === "string") {
      const detail = `error parsing succeededIndexes: ${named}`;
      errors.invalid(`${path}.succeededIndexes`, succeededIndexes, detail);
    }
    errors.nonNegative(`${path}.succeededCount`, succeededCount);
    if (succeededCount !== undefined && succeededCount > completions) {
      const detail = `must be less than or equal to ${completions} (the number of specified completions)`;
      errors.invalid(`${path}.succeededCount`, succeededCount, detail);
    }
    const most = typeof named === "string" ? 0 : named;
    if (succeededIndexes !== undefined && succeededCount !== undefined && succeededCount > most) {
      const detail = `must be less than or equal to ${most} (the number of indexes in the specified succeededIndexes field)`;
      errors.invalid(`${path}.succeededCount`, succeededCount, detail);
    }
  }
}

/** How many indexes "1,3-5" names; as text what is wrong with it. */
function countIndexes(text: string, completions: number): number | string {
  let count = 0;
  let last = -1;
  for (const interval of text === "" ? [] : text.split(",")) {
    const limits = interval.split("-");
    if (limits.length > 2) {
      const quoted = JSON.stringify(interval);
      return `the fragment ${quoted} violates the requirement that an index interval can have at most two parts separated by '-'`;
    }
    for (const limit of limits) {
      const quoted = JSON.stringify(limit);
      if (!/^\d+$/.test(limit)) return `cannot convert string to integer for index: ${quoted}`;
      if (Number(limit) >= completions) return `too large index: ${quoted}`;
    }
    const [from = 0, to = from] = limits.map(Number);
    if (limits.length > 1 && from >= to) {
      return `non-increasing order, previous: ${from}, current: ${to}`;
    }
    if (last >= from) return `non-increasing order, previous: ${last}, current: ${from}`;
    count += to - from + 1;
    last = to;
  }
  return count;
}
