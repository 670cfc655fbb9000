import type { Job, JobCondition, JobStatus } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import { findCondition, withCondition } from "../conditions.ts";
import { isTerminating, uidOf } from "../ownership.ts";
import { isActive, isFinished, isReady, restartsMax } from "../pod-state.ts";
import { judgeFailure } from "./job-failure-policy.ts";
import { formatIndexes, parseIndexes } from "./job-indexes.ts";

/** Keeps a finished pod until its result is counted. */
export const TRACKING = "batch.kubernetes.io/job-tracking";
export const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";
const BACKOFF_BASE_MS = 10_000;
const BACKOFF_MAX_MS = 10 * 60_000;

/** The writes of one pass, in this order: delete, create, status, then let counted pods go. */
export interface JobPlan {
  delete: Pod[];
  /** One entry for each new pod: its completion index, if the job is indexed. */
  create: { index: number | undefined }[];
  status: JobStatus;
  untrack: Pod[];
  requeueAfterMs: number | undefined;
}

/** What the counting pass found. */
interface Tally {
  succeeded: number;
  failed: number;
  uncounted: { succeeded: string[]; failed: string[] };
  completed: Set<number>;
  untrack: Pod[];
  failJob: string | undefined;
}

const isTracked = (pod: Pod) => pod.metadata?.finalizers?.includes(TRACKING) === true;
const isIndexed = (job: Job) => job.spec?.completionMode === "Indexed";
const indexEnd = (job: Job) => job.spec?.completions ?? Number.MAX_SAFE_INTEGER;

/** The completion index of a pod; undefined for pods of other jobs. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata?.annotations?.[COMPLETION_INDEX];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Complete or Failed. */
export function isJobFinished(job: Job): boolean {
  return ["Complete", "Failed"].some(
    (type) => findCondition(job.status?.conditions, type)?.status === "True",
  );
}

/** True when a pod that is on its way out is replaced (and counted) only once it has ended. */
function awaitsEnd(job: Job): boolean {
  return job.spec?.podReplacementPolicy === "Failed" || job.spec?.podFailurePolicy !== undefined;
}

function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === "Failed") return true;
  return !awaitsEnd(job) && isTerminating(pod) && pod.status?.phase !== "Succeeded";
}

/**
 * Counts results exactly once: a finished pod first stands in `uncountedTerminatedPods`, then
 * loses its finalizer, and only when that is seen it moves into the counters.
 */
function tally(job: Job, pods: readonly Pod[]): Tally {
  const { succeeded = 0, failed = 0, uncountedTerminatedPods: before } = job.status ?? {};
  const tracked = new Map(pods.filter(isTracked).map((pod) => [uidOf(pod), pod]));
  const result: Tally = {
    succeeded,
    failed,
    uncounted: { succeeded: [], failed: [] },
    completed: parseIndexes(job.status?.completedIndexes, indexEnd(job)),
    untrack: [],
    failJob: undefined,
  };
  for (const kind of ["succeeded", "failed"] as const) {
    for (const uid of before?.[kind] ?? []) {
      if (tracked.has(uid)) result.uncounted[kind].push(uid);
      else result[kind]++;
    }
  }
  const known = new Set([...result.uncounted.succeeded, ...result.uncounted.failed]);
  for (const [uid, pod] of tracked) {
    const won = pod.status?.phase === "Succeeded";
    if (!won && !hasFailed(job, pod)) continue;
    result.untrack.push(pod);
    if (known.has(uid)) continue;
    const index = indexOf(pod);
    if (isIndexed(job) && (index === undefined || index >= indexEnd(job))) continue;
    if (won) {
      if (index !== undefined && isIndexed(job)) {
        if (result.completed.has(index)) continue;
        result.completed.add(index);
      }
      result.uncounted.succeeded.push(uid);
      continue;
    }
    const verdict = judgeFailure(job, pod);
    if (verdict.action === "FailJob") result.failJob ??= verdict.message;
    if (verdict.action !== "Ignore") result.uncounted.failed.push(uid);
  }
  return result;
}

interface Ending {
  type: "Complete" | "Failed";
  reason: string;
  message: string;
}

function endingOf(
  job: Job,
  at: { counts: Tally; active: readonly Pod[]; nowMs: number },
): Ending | undefined {
  const { counts, active } = at;
  const failed = counts.failed + counts.uncounted.failed.length;
  const limit = job.spec?.backoffLimit ?? 6;
  const fail = (reason: string, message: string): Ending => ({ type: "Failed", reason, message });
  const target = findCondition(job.status?.conditions, "FailureTarget");
  if (target?.status === "True") return fail(target.reason ?? "", target.message ?? "");
  if (counts.failJob) return fail("PodFailurePolicy", counts.failJob);
  const restarts = active.reduce((sum, pod) => sum + restartsMax(pod), 0);
  const inPlace = job.spec?.template?.spec?.restartPolicy === "OnFailure";
  if (failed > limit || (inPlace && restarts > 0 && restarts >= limit && limit > 0)) {
    return fail("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  const deadline = deadlineMs(job);
  if (deadline !== undefined && deadline <= at.nowMs && !job.spec?.suspend) {
    return fail("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  const succeeded = counts.succeeded + counts.uncounted.succeeded.length;
  const { completions } = job.spec ?? {};
  const reached = isIndexed(job) ? counts.completed.size : succeeded;
  const done =
    completions === undefined ? succeeded > 0 && active.length === 0 : reached >= completions;
  if (!done) return undefined;
  const message = "Reached expected number of succeeded pods";
  return { type: "Complete", reason: "CompletionsReached", message };
}

function deadlineMs(job: Job): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  const start = job.status?.startTime;
  return seconds === undefined || !start ? undefined : Date.parse(start) + seconds * 1000;
}

/** When a replacement may come: each failure in a row doubles the wait. */
function retryAtMs(pods: readonly Pod[]): number {
  const endMs = (pod: Pod): number =>
    Math.max(
      0,
      ...(pod.status?.containerStatuses ?? []).map(
        ({ state }) => Date.parse(state?.terminated?.finishedAt ?? "") || 0,
      ),
    ) ||
    Date.parse(pod.metadata?.deletionTimestamp ?? "") ||
    0;
  const ends = (phase: string) => pods.filter(({ status }) => status?.phase === phase).map(endMs);
  const lastSuccess = Math.max(0, ...ends("Succeeded"));
  const failures = ends("Failed").filter((end) => end > lastSuccess);
  if (failures.length === 0) return 0;
  const delay = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (failures.length - 1));
  return Math.max(...failures) + delay;
}

/** Everything that is due for a job, given its pods. */
export function planJob(job: Job, observed: { pods: readonly Pod[]; nowMs: number }): JobPlan {
  const { pods, nowMs } = observed;
  if (isJobFinished(job) || isTerminating(job)) {
    const untrack = pods.filter((pod) => isTracked(pod) && (isFinished(pod) || isTerminating(pod)));
    const left = isTerminating(job) ? [] : pods.filter(isActive);
    return {
      delete: left,
      create: [],
      status: job.status ?? {},
      untrack,
      requeueAfterMs: undefined,
    };
  }
  const counts = tally(job, pods);
  const active = pods.filter(isActive);
  const ending = endingOf(job, { counts, active, nowMs });
  const suspended = job.spec?.suspend === true;
  const work =
    ending || suspended
      ? { delete: active, create: [], requeueAfterMs: undefined }
      : manage(job, { ...observed, counts, active });
  const status = statusOf(job, { ...observed, counts, active, work, ending });
  const deadline = ending || suspended ? undefined : deadlineMs({ ...job, status });
  const waits = [work.requeueAfterMs, deadline === undefined ? undefined : deadline - nowMs];
  const due = waits.filter((wait) => wait !== undefined);
  return {
    ...work,
    status,
    untrack: counts.untrack,
    requeueAfterMs: due.length > 0 ? Math.max(1, Math.min(...due)) : undefined,
  };
}

type Work = Pick<JobPlan, "delete" | "create" | "requeueAfterMs">;

function manage(
  job: Job,
  at: { pods: readonly Pod[]; nowMs: number; counts: Tally; active: readonly Pod[] },
): Work {
  const { counts, active } = at;
  const { completions, parallelism = 1 } = job.spec ?? {};
  const succeeded = isIndexed(job)
    ? counts.completed.size
    : counts.succeeded + counts.uncounted.succeeded.length;
  let wanted = parallelism;
  if (completions !== undefined) wanted = Math.min(parallelism, completions - succeeded);
  else if (succeeded > 0) wanted = Math.min(parallelism, active.length);
  if (active.length > wanted) {
    const first = (pod: Pod) => Number(isReady(pod));
    const ranked = [...active].sort((a, b) => first(a) - first(b));
    return {
      delete: ranked.slice(0, active.length - wanted),
      create: [],
      requeueAfterMs: undefined,
    };
  }
  const leaving = at.pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length;
  const missing = wanted - active.length - (awaitsEnd(job) ? leaving : 0);
  if (missing <= 0) return { delete: [], create: [], requeueAfterMs: undefined };
  const waitMs = retryAtMs(at.pods) - at.nowMs;
  if (waitMs > 0) return { delete: [], create: [], requeueAfterMs: waitMs };
  if (!isIndexed(job)) {
    const create = Array.from({ length: missing }, () => ({ index: undefined }));
    return { delete: [], create, requeueAfterMs: undefined };
  }
  const taken = new Set([...counts.completed, ...active.map(indexOf)]);
  const create: { index: number }[] = [];
  for (let index = 0; index < (completions ?? 0) && create.length < missing; index++) {
    if (!taken.has(index)) create.push({ index });
  }
  return { delete: [], create, requeueAfterMs: undefined };
}

function statusOf(
  job: Job,
  at: {
    pods: readonly Pod[];
    nowMs: number;
    counts: Tally;
    active: readonly Pod[];
    work: Work;
    ending: Ending | undefined;
  },
): JobStatus {
  const { counts, ending, work, nowMs } = at;
  const suspended = job.spec?.suspend === true;
  const active = at.active.length - work.delete.length + work.create.length;
  const ready = at.active.filter((pod) => isReady(pod) && !work.delete.includes(pod)).length;
  const terminating =
    work.delete.length + at.pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length;
  const settled = counts.uncounted.succeeded.length + counts.uncounted.failed.length === 0;
  const finished = ending !== undefined && active === 0 && terminating === 0 && settled;
  const conditions = conditionsOf(job, { ending, finished, nowMs });
  const now = formatTime(nowMs);
  const startTime = job.status?.startTime ?? (suspended ? undefined : now);
  const { succeeded, failed } = counts.uncounted;
  return {
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(startTime && !suspended ? { startTime } : {}),
    ...(finished && ending.type === "Complete" ? { completionTime: now } : {}),
    ...(active > 0 ? { active } : {}),
    ...(counts.succeeded > 0 ? { succeeded: counts.succeeded } : {}),
    ...(counts.failed > 0 ? { failed: counts.failed } : {}),
    terminating,
    ...(isIndexed(job) && counts.completed.size > 0
      ? { completedIndexes: formatIndexes(counts.completed) }
      : {}),
    uncountedTerminatedPods: {
      ...(succeeded.length > 0 ? { succeeded } : {}),
      ...(failed.length > 0 ? { failed } : {}),
    },
    ready,
  };
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
  const known = findCondition(conditions, "Suspended");
  if (job.spec?.suspend && !ending) {
    const message = "Job suspended";
    put({ type: "Suspended", status: "True", reason: "JobSuspended", message });
  } else if (known?.status === "True") {
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
