import { CRON_JOBS } from "../../api/generated/resources.ts";
import type { CronJob, CronJobStatus, Job } from "../../api/generated/types/batch-v1.ts";
import { formatTime } from "../../lib/clock.ts";
import { type CronSchedule, lastCronTime, nextCronTime, parseCron } from "../../lib/cron.ts";
import { findCondition } from "../conditions.ts";
import { controllerReference, isTerminating, uidOf } from "../ownership.ts";
import { zoneOffset } from "./time-zone.ts";

const MISSED_MAX = 100;
const SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** What one pass does: jobs to delete, the job to start, the status that follows. */
export interface CronJobPlan {
  delete: Job[];
  create: Job | undefined;
  status: CronJobStatus;
  /** A run that was due did not start, as another one is not over. */
  forbidden: boolean;
  /** Jobs that ran when the status was written, and are over or gone by now. */
  ended: { name: string; how: string | undefined }[];
  /** Names of jobs that run as if they were the schedule's, which did not start them. */
  unexpected: string[];
  /** So many runs were missed that clocks or deadlines deserve a look; only the last is made up. */
  tooManyMissed: boolean;
  requeueAfterMs: number | undefined;
}

const isTrue = (job: Job, type: string) =>
  findCondition(job.status?.conditions, type)?.status === "True";
const isOver = (job: Job) => isTrue(job, "Complete") || isTrue(job, "Failed");

/**
 * Decides about one pass. @throws CronError for a schedule, TimeZoneError for a zone that cannot
 * be read
 */
export function planCronJob(
  cron: CronJob,
  observed: { jobs: readonly Job[]; nowMs: number },
): CronJobPlan {
  const { jobs, nowMs } = observed;
  const spec = cron.spec;
  const doomed = surplusHistory(cron, jobs);
  const plan: CronJobPlan = {
    delete: doomed,
    create: undefined,
    status: statusOf(cron, { jobs }),
    forbidden: false,
    ended: endedOf(cron, jobs),
    unexpected: unexpectedOf(cron, jobs),
    tooManyMissed: false,
    requeueAfterMs: undefined,
  };
  if (isTerminating(cron) || !spec || spec.suspend) return plan;
  const schedule = parseCron(spec.schedule);
  const zone = { offsetAt: zoneOffset(spec.timeZone) };
  const since = cron.status?.lastScheduleTime ?? cron.metadata?.creationTimestamp ?? "";
  const deadline = spec.startingDeadlineSeconds;
  const reachMs = deadline === undefined ? Infinity : deadline * 1000;
  // What is later than that is not made up for.
  const afterMs = Math.max(Date.parse(since) || nowMs, nowMs - reachMs);
  const due = lastCronTime(schedule, { ...zone, afterMs, untilMs: nowMs });
  const next = nextCronTime(schedule, due ?? afterMs, zone);
  if (next !== undefined) plan.requeueAfterMs = Math.max(1, next - nowMs);
  if (due === undefined) return plan;
  plan.tooManyMissed = countMissed(schedule, { ...zone, afterMs, untilMs: nowMs }) > MISSED_MAX;
  const job = jobFor(cron, { dueMs: due, offsetMs: zone.offsetAt(due) });
  if (jobs.some(({ metadata }) => metadata?.name === job.metadata?.name)) return plan;
  const running = runningJobs(cron, jobs);
  if (spec.concurrencyPolicy === "Forbid" && running.length > 0) {
    return { ...plan, forbidden: true };
  }
  if (spec.concurrencyPolicy === "Replace") {
    plan.delete.push(...running.filter((one) => !isTerminating(one)));
  }
  const status = { ...plan.status, lastScheduleTime: formatTime(due) };
  return { ...plan, create: job, status };
}

/** About how many runs were due, judged by the time between the first two. */
function countMissed(
  schedule: CronSchedule,
  span: { afterMs: number; untilMs: number; offsetAt: (epochMs: number) => number },
): number {
  const first = nextCronTime(schedule, span.afterMs, span);
  if (first === undefined || first > span.untilMs) return 0;
  const second = nextCronTime(schedule, first, span);
  if (second === undefined) return 1;
  return Math.floor((span.untilMs - first) / (second - first)) + 1;
}

/** What the schedule started and is not over; what somebody started by hand does not count. */
function runningJobs(cron: CronJob, jobs: readonly Job[]): Job[] {
  const known = new Set((cron.status?.active ?? []).map(({ uid }) => uid));
  return jobs.filter(
    (job) =>
      !isOver(job) && (SCHEDULED_AT in (job.metadata?.annotations ?? {}) || known.has(uidOf(job))),
  );
}

function unexpectedOf(cron: CronJob, jobs: readonly Job[]): string[] {
  const expected = new Set(runningJobs(cron, jobs));
  return jobs
    .filter((job) => !isOver(job) && !expected.has(job))
    .map(({ metadata }) => metadata?.name ?? "");
}

function endedOf(cron: CronJob, jobs: readonly Job[]): CronJobPlan["ended"] {
  const byUid = new Map(jobs.map((job) => [uidOf(job), job]));
  return (cron.status?.active ?? []).flatMap(({ name = "", uid = "" }) => {
    const job = byUid.get(uid);
    if (job && !isOver(job)) return [];
    return [{ name, how: job && (isTrue(job, "Complete") ? "Complete" : "Failed") }];
  });
}

function jobFor(cron: CronJob, of: { dueMs: number; offsetMs: number }): Job {
  const { dueMs, offsetMs } = of;
  const template = cron.spec?.jobTemplate;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: `${cron.metadata?.name}-${Math.floor(dueMs / 60_000)}`,
      namespace: cron.metadata?.namespace ?? "",
      labels: { ...template?.metadata?.labels },
      annotations: {
        ...template?.metadata?.annotations,
        [SCHEDULED_AT]: zonedTime(dueMs, offsetMs),
      },
      ownerReferences: [controllerReference(CRON_JOBS, cron)],
    },
    ...(template?.spec ? { spec: template.spec } : {}),
  };
}

/** RFC 3339 by the clocks of a zone. */
function zonedTime(epochMs: number, offsetMs: number): string {
  if (offsetMs === 0) return formatTime(epochMs);
  const minutes = Math.abs(Math.round(offsetMs / 60_000));
  const two = (number: number) => String(number).padStart(2, "0");
  const offset = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return `${formatTime(epochMs + offsetMs).slice(0, -1)}${offsetMs < 0 ? "-" : "+"}${offset}`;
}

function statusOf(cron: CronJob, { jobs }: { jobs: readonly Job[] }): CronJobStatus {
  const active = runningJobs(cron, jobs)
    .map((job) => ({
      apiVersion: "batch/v1",
      kind: "Job",
      namespace: job.metadata?.namespace ?? "",
      name: job.metadata?.name ?? "",
      uid: uidOf(job),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const completions = jobs
    .filter((job) => isTrue(job, "Complete"))
    .map((job) => job.status?.completionTime ?? "");
  const { lastScheduleTime, lastSuccessfulTime } = cron.status ?? {};
  const latest = [lastSuccessfulTime ?? "", ...completions].sort().at(-1);
  return {
    ...(active.length > 0 ? { active } : {}),
    ...(lastScheduleTime ? { lastScheduleTime } : {}),
    ...(latest ? { lastSuccessfulTime: latest } : {}),
  };
}

/** Finished jobs beyond the limits, oldest first. */
function surplusHistory(cron: CronJob, jobs: readonly Job[]): Job[] {
  const age = (job: Job) => job.status?.startTime ?? job.metadata?.creationTimestamp ?? "";
  const beyond = (type: string, limit: number) => {
    const finished = jobs.filter((job) => isTrue(job, type) && !isTerminating(job));
    finished.sort((a, b) => (age(a) < age(b) ? -1 : 1));
    return finished.slice(0, Math.max(0, finished.length - limit));
  };
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cron.spec ?? {};
  return [
    ...beyond("Complete", successfulJobsHistoryLimit),
    ...beyond("Failed", failedJobsHistoryLimit),
  ];
}
