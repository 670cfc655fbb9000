import type { Job, SuccessPolicyRule } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { findCondition } from "../conditions.ts";
import { indexEnd, isIndexed, parseIndexes } from "./job-indexes.ts";
import type { Survey } from "./job-survey.ts";

/** How a job ends, once its pods are gone and counted. */
export interface Ending {
  type: "Complete" | "Failed";
  reason: string;
  message: string;
}

const failure = (reason: string, message: string): Ending => ({ type: "Failed", reason, message });

/** How the job ends, if nothing is left to try; what was decided once stays so. */
export function endingOf(
  job: Job,
  at: { survey: Survey; pods: readonly Pod[]; nowMs: number },
): Ending | undefined {
  const { survey } = at;
  return decided(job) ?? failureOf(job, at) ?? successOf(job, survey);
}

function decided(job: Job): Ending | undefined {
  const of = (type: string) => {
    const found = findCondition(job.status?.conditions, type);
    return found?.status === "True" ? found : undefined;
  };
  const met = of("SuccessCriteriaMet");
  if (met) return { type: "Complete", reason: met.reason ?? "", message: met.message ?? "" };
  const target = of("FailureTarget");
  return target && failure(target.reason ?? "", target.message ?? "");
}

function failureOf(
  job: Job,
  { survey, pods, nowMs }: { survey: Survey; pods: readonly Pod[]; nowMs: number },
): Ending | undefined {
  if (survey.failJob) return failure("PodFailurePolicy", survey.failJob);
  const limit = job.spec?.backoffLimit ?? 6;
  if (survey.failed > limit || areRestartsOver(job, { limit, pods })) {
    return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  const deadline = job.spec?.suspend || isResuming(job) ? undefined : deadlineMs(job);
  if (deadline !== undefined && deadline <= nowMs) {
    return failure("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  const { failedIndexes, completed } = survey;
  if (!failedIndexes || failedIndexes.size === 0) return undefined;
  const { maxFailedIndexes } = job.spec ?? {};
  if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
    const message = "Job has exceeded the specified maximal number of failed indexes";
    return failure("MaxFailedIndexesExceeded", message);
  }
  const isOver = failedIndexes.size + completed.size >= indexEnd(job);
  return isOver ? failure("FailedIndexes", "Job has failed indexes") : undefined;
}

/** Containers that restart in place fail without a pod that failed; also while they are to end. */
function areRestartsOver(job: Job, of: { limit: number; pods: readonly Pod[] }): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== "OnFailure") return false;
  let restarts = 0;
  for (const { status } of of.pods) {
    if (status?.phase !== "Running" && status?.phase !== "Pending") continue;
    const statuses = [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
    ];
    for (const { restartCount = 0 } of statuses) restarts += restartCount;
  }
  return of.limit === 0 ? restarts > 0 : restarts >= of.limit;
}

function successOf(job: Job, { completed, succeeded, active }: Survey): Ending | undefined {
  const rules = isIndexed(job) ? (job.spec?.successPolicy?.rules ?? []) : [];
  const rule = rules.findIndex((one) => isMet(one, { completed, end: indexEnd(job) }));
  if (rule >= 0) {
    const message = `Matched rules at index ${rule}`;
    return { type: "Complete", reason: "SuccessPolicy", message };
  }
  const { completions } = job.spec ?? {};
  const isDone =
    completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions;
  if (!isDone) return undefined;
  const message = "Reached expected number of succeeded pods";
  return { type: "Complete", reason: "CompletionsReached", message };
}

function isMet(
  { succeededIndexes, succeededCount = Infinity }: SuccessPolicyRule,
  { completed, end }: { completed: ReadonlySet<number>; end: number },
): boolean {
  if (completed.size === 0) return false;
  if (succeededIndexes === undefined) return completed.size >= succeededCount;
  const wanted = parseIndexes(succeededIndexes, end);
  const reached = [...wanted].filter((index) => completed.has(index)).length;
  return wanted.size > 0 && (reached === wanted.size || reached >= succeededCount);
}

/** True when the job was suspended until now: its time to be active starts again. */
export function isResuming(job: Job): boolean {
  const suspended = findCondition(job.status?.conditions, "Suspended");
  return suspended?.status === "True" && job.spec?.suspend !== true;
}

/** When the job has been active for as long as it may be. */
export function deadlineMs(job: Job): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  const start = job.status?.startTime;
  return seconds === undefined || !start ? undefined : Date.parse(start) + seconds * 1000;
}
