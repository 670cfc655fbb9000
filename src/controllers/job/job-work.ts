import type { Job } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { isTerminating } from "../ownership.ts";
import { byActivity } from "../pod-ranking.ts";
import { finishedAtMs, isFinished } from "../pod-state.ts";
import { type FailureRow, retryAtMs, retryDelayMs } from "./job-backoff.ts";
import { judgeFailure } from "./job-failure-policy.ts";
import {
  countOn,
  INDEX_FAILURES,
  INDEX_FORGIVEN,
  indexOf,
  isIndexed,
  validIndexOf,
} from "./job-indexes.ts";
import { attemptsBefore, awaitsEnd, type Survey } from "./job-survey.ts";

/** What a new pod is told: its completion index, and how often that failed before. */
export interface NewPod {
  index: number | undefined;
  /** Only with a limit per index. */
  failures?: { counted: number; forgiven: number };
}

/** The pods that come and go. */
export interface JobWork {
  /** Let go before they are deleted, so that nobody counts them. */
  release: Pod[];
  delete: Pod[];
  create: NewPod[];
  requeueAfterMs: number | undefined;
}

/** Brings the number of running pods to what parallelism and the work left ask for. */
export function planWork(
  job: Job,
  at: { pods: readonly Pod[]; nowMs: number; survey: Survey; failures: FailureRow },
): JobWork {
  const { survey } = at;
  const { active } = survey;
  const wanted = wantedPods(job, survey);
  const work: JobWork = { release: [], delete: [], create: [], requeueAfterMs: undefined };
  const surplus = surplusPods(job, { active, atLeast: active.length - wanted });
  if (surplus.length > 0) return { ...work, release: surplus };
  const leaving = at.pods.filter((pod) => isTerminating(pod) && !isFinished(pod));
  const missing = wanted - active.length - (awaitsEnd(job) ? leaving.length : 0);
  if (missing <= 0) return work;
  if (survey.failedIndexes) {
    const indexes = freeIndexes(job, { survey, leaving, count: missing });
    return { ...work, ...replaceByIndex(job, { ...at, indexes }) };
  }
  const waitMs = retryAtMs(at.failures) - at.nowMs;
  if (waitMs > 0) return { ...work, requeueAfterMs: waitMs };
  if (isIndexed(job)) {
    const indexes = freeIndexes(job, { survey, leaving, count: missing });
    return { ...work, create: indexes.map((index) => ({ index })) };
  }
  return { ...work, create: Array.from({ length: missing }, () => ({ index: undefined })) };
}

function wantedPods(job: Job, { succeeded, active }: Survey): number {
  const { completions, parallelism = 1 } = job.spec ?? {};
  if (completions !== undefined) return Math.max(0, Math.min(parallelism, completions - succeeded));
  return succeeded > 0 ? Math.min(parallelism, active.length) : parallelism;
}

/** Pods that are too many: of an index that is taken or is not the job's, then the least far. */
function surplusPods(
  job: Job,
  { active, atLeast }: { active: readonly Pod[]; atLeast: number },
): Pod[] {
  const ranked = byActivity(active);
  const surplus = new Set<Pod>();
  if (isIndexed(job)) {
    const taken = new Set<number>();
    for (const pod of [...ranked].reverse()) {
      const index = validIndexOf(job, pod);
      if (index === undefined || taken.has(index)) surplus.add(pod);
      else taken.add(index);
    }
  }
  for (const pod of ranked) if (surplus.size < atLeast) surplus.add(pod);
  return [...surplus];
}

function freeIndexes(
  job: Job,
  of: { survey: Survey; leaving: readonly Pod[]; count: number },
): number[] {
  const { completed, failedIndexes, active } = of.survey;
  const taken = new Set([...completed, ...(failedIndexes ?? []), ...active.map(indexOf)]);
  if (awaitsEnd(job)) for (const pod of of.leaving) taken.add(indexOf(pod));
  const free: number[] = [];
  const end = job.spec?.completions ?? 0;
  for (let index = 0; index < end && free.length < of.count; index++) {
    if (!taken.has(index)) free.push(index);
  }
  return free;
}

/** With a limit per index each waits for itself alone, and hands its count of failures on. */
function replaceByIndex(
  job: Job,
  of: { indexes: readonly number[]; survey: Survey; nowMs: number },
): Pick<JobWork, "create" | "requeueAfterMs"> {
  const create: NewPod[] = [];
  const waits: number[] = [];
  for (const index of of.indexes) {
    const before = of.survey.replaced.get(index);
    const waitMs = before
      ? finishedAtMs(before) + retryDelayMs(attemptsBefore(before) + 1) - of.nowMs
      : 0;
    if (waitMs > 0) waits.push(waitMs);
    else create.push({ index, failures: failuresAfter(job, before) });
  }
  return { create, requeueAfterMs: waits.length > 0 ? Math.min(...waits) : undefined };
}

function failuresAfter(job: Job, pod: Pod | undefined): { counted: number; forgiven: number } {
  if (!pod) return { counted: 0, forgiven: 0 };
  const isForgiven = judgeFailure(job, pod).action === "Ignore";
  return {
    counted: countOn(pod, INDEX_FAILURES) + (isForgiven ? 0 : 1),
    forgiven: countOn(pod, INDEX_FORGIVEN) + (isForgiven ? 1 : 0),
  };
}
