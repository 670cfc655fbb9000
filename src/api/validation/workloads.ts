import { CronError, parseCron } from "../../lib/cron.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { matchesSelector } from "../../lib/labels.ts";
import { dns1123SubdomainErrors } from "../../lib/names.ts";
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from "../generated/types/apps-v1.ts";
import type { CronJob, Job, JobSpec } from "../generated/types/batch-v1.ts";
import type { PodTemplateSpec, ReplicationController } from "../generated/types/core-v1.ts";
import type { LabelSelector } from "../generated/types/meta-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { type KindRules, rulesFor } from "./kind-rules.ts";
import { validateImmutable } from "./metadata.ts";
import { validatePodTemplate } from "./pods.ts";
import { validateCountOrPercent, validateSelector } from "./values.ts";

const CRON_JOB_NAME_MAX = 52;

/** What workloads that keep pods running have in common. */
interface LongRunning {
  kind: string;
  selector: LabelSelector | undefined;
  template: PodTemplateSpec | undefined;
}

function validateLongRunning(errors: FieldErrors, workload: LongRunning): void {
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
function selects(selector: LabelSelector, template: PodTemplateSpec): boolean {
  const known = ["In", "NotIn", "Exists", "DoesNotExist"];
  if (!(selector.matchExpressions ?? []).every(({ operator }) => known.includes(operator))) {
    return true;
  }
  return matchesSelector(selector, template.metadata?.labels);
}

const DEPLOYMENT: KindRules<Deployment> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    validateLongRunning(errors, { kind: "deployment", ...spec });
    for (const name of ["replicas", "minReadySeconds", "revisionHistoryLimit"] as const) {
      errors.nonNegative(`spec.${name}`, spec[name]);
    }
    const { type, rollingUpdate } = spec.strategy ?? {};
    errors.oneOf("spec.strategy.type", type, ["Recreate", "RollingUpdate"]);
    if (type === "Recreate" && rollingUpdate) {
      const detail = "may not be specified when strategy `type` is 'Recreate'";
      errors.forbidden("spec.strategy.rollingUpdate", detail);
    } else if (rollingUpdate) {
      validateRolling(errors, "spec.strategy.rollingUpdate", rollingUpdate);
    }
    const deadline = spec.progressDeadlineSeconds;
    errors.nonNegative("spec.progressDeadlineSeconds", deadline);
    if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
      const detail = "must be greater than minReadySeconds";
      errors.invalid("spec.progressDeadlineSeconds", deadline, detail);
    }
  },
  validateUpdate(errors, { spec }, old) {
    validateImmutable(errors, "spec.selector", { now: spec?.selector, old: old.spec?.selector });
  },
};

type Rolling = { maxSurge?: number | string; maxUnavailable?: number | string };

function validateRolling(errors: FieldErrors, field: string, rolling: Rolling): void {
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

const REPLICA_SET: KindRules<ReplicaSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    const { selector, template } = spec;
    validateLongRunning(errors, { kind: "ReplicaSet", selector, template });
    errors.nonNegative("spec.replicas", spec.replicas);
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
  },
  validateUpdate(errors, { spec }, old) {
    validateImmutable(errors, "spec.selector", { now: spec?.selector, old: old.spec?.selector });
  },
};

const REPLICATION_CONTROLLER: KindRules<ReplicationController> = {
  validate(errors, { spec }) {
    errors.nonNegative("spec.replicas", spec?.replicas);
    errors.nonNegative("spec.minReadySeconds", spec?.minReadySeconds);
    const selector = spec?.selector ?? {};
    if (Object.keys(selector).length === 0) errors.required("spec.selector");
    const matchLabels = { matchLabels: selector };
    validateLongRunning(errors, {
      kind: "ReplicationController",
      selector: matchLabels,
      template: spec?.template,
    });
  },
};

const STATEFUL_SET: KindRules<StatefulSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    validateLongRunning(errors, { kind: "StatefulSet", ...spec });
    for (const name of ["replicas", "minReadySeconds", "revisionHistoryLimit"] as const) {
      errors.nonNegative(`spec.${name}`, spec[name]);
    }
    const policies = ["OrderedReady", "Parallel"];
    errors.oneOf("spec.podManagementPolicy", spec.podManagementPolicy, policies);
    const { type, rollingUpdate } = spec.updateStrategy ?? {};
    errors.oneOf("spec.updateStrategy.type", type, ["OnDelete", "RollingUpdate"]);
    errors.nonNegative("spec.updateStrategy.rollingUpdate.partition", rollingUpdate?.partition);
    errors.nonNegative("spec.ordinals.start", spec.ordinals?.start);
  },
  validateUpdate(errors, { spec }, old) {
    if (!spec || !old.spec) return;
    const { selector, serviceName, podManagementPolicy, volumeClaimTemplates } = spec;
    const before = old.spec;
    const now = { selector, serviceName, podManagementPolicy, volumeClaimTemplates };
    const same = {
      selector: before.selector,
      serviceName: before.serviceName,
      podManagementPolicy: before.podManagementPolicy,
      volumeClaimTemplates: before.volumeClaimTemplates,
    };
    if (deepEqual(now, same)) return;
    errors.forbidden(
      "spec",
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and " +
        "'minReadySeconds' are forbidden",
    );
  },
};

const DAEMON_SET: KindRules<DaemonSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    validateLongRunning(errors, { kind: "daemonset", ...spec });
    errors.nonNegative("spec.minReadySeconds", spec.minReadySeconds);
    errors.nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit);
    const { type, rollingUpdate } = spec.updateStrategy ?? {};
    errors.oneOf("spec.updateStrategy.type", type, ["OnDelete", "RollingUpdate"]);
    if (rollingUpdate) validateRolling(errors, "spec.updateStrategy.rollingUpdate", rollingUpdate);
  },
  validateUpdate(errors, { spec }, old) {
    validateImmutable(errors, "spec.selector", { now: spec?.selector, old: old.spec?.selector });
  },
};

function validateJobSpec(errors: FieldErrors, field: string, spec: JobSpec): void {
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

const JOB: KindRules<Job> = {
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

const CRON_JOB: KindRules<CronJob> = {
  nameRule: (name) =>
    name.length > CRON_JOB_NAME_MAX
      ? [`must be no more than ${CRON_JOB_NAME_MAX} characters`]
      : dns1123SubdomainErrors(name),
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    if (errors.present("spec.schedule", spec.schedule)) {
      if (/TZ=/.test(spec.schedule)) {
        const detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.invalid("spec.schedule", spec.schedule, detail);
      } else {
        try {
          parseCron(spec.schedule);
        } catch (error) {
          if (!(error instanceof CronError)) throw error;
          errors.invalid("spec.schedule", spec.schedule, error.message);
        }
      }
    }
    const policies = ["Allow", "Forbid", "Replace"];
    errors.oneOf("spec.concurrencyPolicy", spec.concurrencyPolicy, policies);
    for (const name of [
      "startingDeadlineSeconds",
      "successfulJobsHistoryLimit",
      "failedJobsHistoryLimit",
    ] as const) {
      errors.nonNegative(`spec.${name}`, spec[name]);
    }
    if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) {
      errors.invalid("spec.timeZone", spec.timeZone, `unknown time zone ${spec.timeZone}`);
    }
    if (spec.jobTemplate?.spec) {
      validateJobSpec(errors, "spec.jobTemplate.spec", spec.jobTemplate.spec);
    } else errors.required("spec.jobTemplate.spec.template");
  },
};

function isTimeZone(name: string): boolean {
  if (name === "" || name.toLowerCase() === "local") return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Rules of the kinds that run pods, by "group/plural". */
export const WORKLOAD_RULES: Readonly<Record<string, KindRules<never>>> = {
  "/replicationcontrollers": rulesFor(REPLICATION_CONTROLLER),
  "apps/deployments": rulesFor(DEPLOYMENT),
  "apps/replicasets": rulesFor(REPLICA_SET),
  "apps/statefulsets": rulesFor(STATEFUL_SET),
  "apps/daemonsets": rulesFor(DAEMON_SET),
  "batch/jobs": rulesFor(JOB),
  "batch/cronjobs": rulesFor(CRON_JOB),
};
