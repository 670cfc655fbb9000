import type { Job } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { isTerminating, uidOf } from "../ownership.ts";
import { finishedAtMs, isActive } from "../pod-state.ts";
import { judgeFailure } from "./job-failure-policy.ts";
import {
  countOn,
  INDEX_FAILURES,
  INDEX_FORGIVEN,
  indexEnd,
  indexOf,
  isIndexed,
  parseIndexes,
  validIndexOf,
} from "./job-indexes.ts";

/** Keeps a finished pod until its result is counted. */
export const TRACKING = "batch.kubernetes.io/job-tracking";

/** The pods of a job by what became of them. */
export interface Survey {
  active: Pod[];
  /** Pods whose results are not let go yet, by UID. */
  tracked: Map<string, Pod>;
  /** Of those, the ones that failed, or count as failed because they are on their way out. */
  lost: Pod[];
  completed: Set<number>;
  /** Only with a limit per index. */
  failedIndexes: Set<number> | undefined;
  /**
   * By index, the failed pod that is kept until another takes its place and its count of failures;
   * only with a limit per index.
   */
  replaced: Map<number, Pod>;
  /** Successes and failures, counted already or not. */
  succeeded: number;
  failed: number;
  /** Why a rule ends the whole job. */
  failJob: string | undefined;
}

export const isTracked = (pod: Pod): boolean =>
  pod.metadata?.finalizers?.includes(TRACKING) === true;

/** True when a pod that is on its way out is replaced (and counted) only once it has ended. */
export function awaitsEnd(job: Job): boolean {
  return job.spec?.podReplacementPolicy === "Failed" || job.spec?.podFailurePolicy !== undefined;
}

export const hasWon = (pod: Pod): boolean => pod.status?.phase === "Succeeded";

/** Failed, or counts so because it is on its way out. */
export function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === "Failed") return true;
  return !awaitsEnd(job) && isTerminating(pod) && !hasWon(pod);
}

/** Whether the job counts the pod at all: one of an index that it does not have is nobody's. */
export function isCountable(job: Job, pod: Pod): boolean {
  return !isIndexed(job) || validIndexOf(job, pod) !== undefined;
}

/** Sees what became of the pods, before anything is decided or counted. */
export function surveyPods(job: Job, pods: readonly Pod[]): Survey {
  const { uncountedTerminatedPods: noted, completedIndexes } = job.status ?? {};
  const tracked = new Map(pods.filter(isTracked).map((pod) => [uidOf(pod), pod]));
  const known = new Set([...(noted?.succeeded ?? []), ...(noted?.failed ?? [])]);
  const fresh = [...tracked.values()].filter((pod) => isCountable(job, pod));
  const won = fresh.filter(hasWon);
  const lost = [...tracked.values()].filter((pod) => hasFailed(job, pod));
  const completed = parseIndexes(isIndexed(job) ? completedIndexes : "", indexEnd(job));
  if (isIndexed(job)) for (const pod of won) completed.add(indexOf(pod) ?? 0);
  let failed = (job.status?.failed ?? 0) + (noted?.failed?.length ?? 0);
  let failJob: string | undefined;
  for (const pod of lost) {
    if (known.has(uidOf(pod)) || !isCountable(job, pod)) continue;
    const { action, message } = judgeFailure(job, pod);
    if (action === "FailJob") failJob ??= message;
    if (action !== "Ignore") failed++;
  }
  const newlyWon = won.filter((pod) => !known.has(uidOf(pod))).length;
  const counted = (job.status?.succeeded ?? 0) + (noted?.succeeded?.length ?? 0);
  const survey = {
    active: pods.filter(isActive),
    tracked,
    lost,
    completed,
    failedIndexes: failedIndexesOf(job, lost),
    succeeded: isIndexed(job) ? completed.size : counted + newlyWon,
    failed,
    failJob,
  };
  return { ...survey, replaced: replacedOf(job, survey) };
}

function failedIndexesOf(job: Job, lost: readonly Pod[]): Set<number> | undefined {
  const limit = job.spec?.backoffLimitPerIndex;
  if (limit === undefined) return undefined;
  const indexes = parseIndexes(job.status?.failedIndexes, indexEnd(job));
  for (const pod of lost) {
    const index = validIndexOf(job, pod);
    if (index === undefined) continue;
    const { action } = judgeFailure(job, pod);
    const isOver = action !== "Ignore" && countOn(pod, INDEX_FAILURES) >= limit;
    if (action === "FailIndex" || isOver) indexes.add(index);
  }
  return indexes;
}

/** All failures of an index up to and without this pod. */
export function attemptsBefore(pod: Pod): number {
  return countOn(pod, INDEX_FAILURES) + countOn(pod, INDEX_FORGIVEN);
}

function replacedOf(
  job: Job,
  { active, lost, completed, failedIndexes }: Omit<Survey, "replaced">,
): Map<number, Pod> {
  const latest = new Map<number, Pod>();
  if (!failedIndexes) return latest;
  const running = new Set(active.map(indexOf));
  for (const pod of lost) {
    const index = validIndexOf(job, pod);
    if (index === undefined || running.has(index)) continue;
    if (completed.has(index) || failedIndexes.has(index)) continue;
    const other = latest.get(index);
    const isLater =
      !other ||
      (attemptsBefore(pod) >= attemptsBefore(other) && finishedAtMs(pod) >= finishedAtMs(other));
    if (isLater) latest.set(index, pod);
  }
  return latest;
}
