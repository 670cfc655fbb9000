import type { Job, JobCondition, JobStatus } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import { findCondition, withCondition } from "../conditions.ts";
import { isTerminating } from "../ownership.ts";
import { isActive, isFinished, isReady } from "../pod-state.ts";
import { type FailureRow, noteFailures } from "./job-backoff.ts";
import { deadlineMs, type Ending, endingOf, isResuming } from "./job-ending.ts";
import { formatIndexes, isIndexed } from "./job-indexes.ts";
import { isTracked, type Survey, surveyPods } from "./job-survey.ts";
import { type Tally, tallyPods } from "./job-tally.ts";
import { type JobWork, planWork } from "./job-work.ts";

/** The writes of one pass, in this order: the work, the status, then let counted pods go. */
export interface JobPlan extends JobWork {
  status: JobStatus;
  untrack: Pod[];
  /** To be known in the next pass, since pods that count may be gone by then. */
  failures: FailureRow;
}

/** Complete or Failed. */
export function isJobFinished(job: Job): boolean {
  return ["Complete", "Failed"].some(
    (type) => findCondition(job.status?.conditions, type)?.status === "True",
  );
}

const NO_FAILURES: FailureRow = new Map();
const REST: JobWork = { release: [], delete: [], create: [], requeueAfterMs: undefined };

/** Everything that is due for a job, given its pods and the failures that were seen before. */
export function planJob(
  job: Job,
  observed: { pods: readonly Pod[]; nowMs: number; failures?: FailureRow },
): JobPlan {
  const { pods, nowMs } = observed;
  if (isJobFinished(job)) {
    const untrack = pods.filter((pod) => isTracked(pod) && (isFinished(pod) || isTerminating(pod)));
    const left = isTerminating(job) ? [] : pods.filter(isActive);
    return { ...REST, delete: left, status: job.status ?? {}, untrack, failures: NO_FAILURES };
  }
  const survey = surveyPods(job, pods);
  const ending = endingOf(job, { survey, pods, nowMs });
  const tally = tallyPods(job, { survey, ending });
  const failures = noteFailures(job, observed.failures ?? NO_FAILURES, pods);
  const work = workOf(job, { ...observed, survey, ending, failures });
  const status = statusOf(job, { ...observed, survey, tally, work, ending });
  const isActiveYet = !ending && job.spec?.suspend !== true && !isTerminating(job);
  const deadline = isActiveYet ? deadlineMs({ ...job, status }) : undefined;
  const waits = [work.requeueAfterMs, deadline === undefined ? undefined : deadline - nowMs];
  const due = waits.filter((wait) => wait !== undefined);
  return {
    ...work,
    status,
    untrack: tally.untrack,
    failures,
    requeueAfterMs: due.length > 0 ? Math.max(1, Math.min(...due)) : undefined,
  };
}

function workOf(
  job: Job,
  at: {
    pods: readonly Pod[];
    nowMs: number;
    survey: Survey;
    ending: Ending | undefined;
    failures: FailureRow;
  },
): JobWork {
  const { active } = at.survey;
  // A failed job counts what it takes away as failed; elsewhere what is taken away never was.
  if (at.ending?.type === "Failed") return { ...REST, delete: active };
  if (isTerminating(job)) return REST;
  if (at.ending || job.spec?.suspend === true) return { ...REST, release: active };
  return planWork(job, at);
}

function statusOf(
  job: Job,
  at: {
    pods: readonly Pod[];
    nowMs: number;
    survey: Survey;
    tally: Tally;
    work: JobWork;
    ending: Ending | undefined;
  },
): JobStatus {
  const { survey, tally, ending, work, nowMs } = at;
  const doomed = new Set([...work.delete, ...work.release]);
  const active = survey.active.length - doomed.size + work.create.length;
  const ready = survey.active.filter((pod) => isReady(pod) && !doomed.has(pod)).length;
  const leaving = at.pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length;
  const terminating = doomed.size + leaving;
  const { succeeded, failed } = tally.uncounted;
  const settled = succeeded.length + failed.length === 0;
  const finished = ending !== undefined && active === 0 && terminating === 0 && settled;
  const conditions = conditionsOf(job, { ending, finished, nowMs });
  const now = formatTime(nowMs);
  const startTime = startTimeOf(job, now);
  const { completed, failedIndexes } = survey;
  return {
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(startTime ? { startTime } : {}),
    ...(finished && ending.type === "Complete" ? { completionTime: now } : {}),
    ...(active > 0 ? { active } : {}),
    ...(tally.succeeded > 0 ? { succeeded: tally.succeeded } : {}),
    ...(tally.failed > 0 ? { failed: tally.failed } : {}),
    terminating,
    ...(isIndexed(job) && completed.size > 0 ? { completedIndexes: formatIndexes(completed) } : {}),
    ...(failedIndexes ? { failedIndexes: formatIndexes(failedIndexes) } : {}),
    uncountedTerminatedPods: {
      ...(succeeded.length > 0 ? { succeeded } : {}),
      ...(failed.length > 0 ? { failed } : {}),
    },
    ready,
  };
}

/** Kept while a job is suspended, and started anew when it goes on. */
function startTimeOf(job: Job, now: string): string | undefined {
  if (job.spec?.suspend === true) return job.status?.startTime;
  return isResuming(job) ? now : (job.status?.startTime ?? now);
}

function conditionsOf(
  job: Job,
  at: { ending: Ending | undefined; finished: boolean; nowMs: number },
): JobCondition[] {
  const { ending, finished, nowMs } = at;
  let conditions = job.status?.conditions ?? [];
  const put = (condition: Omit<JobCondition, "lastTransitionTime">) => {
    conditions = withCondition(conditions, condition, nowMs);
  };
  if (isTerminating(job) && !ending) return conditions;
  if (job.spec?.suspend && !ending) {
    const message = "Job suspended";
    put({ type: "Suspended", status: "True", reason: "JobSuspended", message });
  } else if (isResuming(job) && !ending) {
    put({ type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" });
  }
  if (ending) {
    const { type, reason, message } = ending;
    const interim = type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
    put({ type: interim, status: "True", reason, message });
    if (finished) put({ type, status: "True", reason, message });
  }
  return conditions;
}
