import type { CronJob, Job, JobSpec } from "../generated/types/batch-v1.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";
import { defaultPodTemplate } from "./pod-spec.ts";

const BACKOFF_LIMIT = 6;
/** With a limit per index the overall limit is out of the way. */
const NO_BACKOFF_LIMIT = 2 ** 31 - 1;

/** Defaults of batch/v1. */
export const BATCH_DEFAULTS: Defaulters = {
  CronJob: defaulter<CronJob>(({ spec }) => {
    if (!spec) return;
    spec.concurrencyPolicy ??= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    defaultJobTemplate(((spec.jobTemplate ??= {}).spec ??= { template: {} }));
  }),
  Job: defaulter<Job>((job) => {
    if (!job.spec) return;
    defaultJob(job.spec);
    const labels = job.spec.template?.metadata?.labels;
    if (labels) (job.metadata ??= {}).labels ??= { ...labels };
  }),
};

function defaultJob(spec: JobSpec): void {
  if (spec.parallelism === undefined) spec.completions ??= 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : NO_BACKOFF_LIMIT;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  defaultJobTemplate(spec);
}

/** What of a job is filled in inside of a CronJob as well. */
function defaultJobTemplate(spec: JobSpec): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
  defaultPodTemplate((spec.template ??= {}));
}
