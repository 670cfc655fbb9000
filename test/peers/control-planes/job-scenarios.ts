import { template } from "./scenario-parts.ts";
import type { Observed, Scenario } from "./scenario.ts";

const TOO_NEW = "jobs are accounted in a field of their status that 1.20 drops (1.22)";

const job = (image: string, spec: object) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "work" },
  spec: {
    ...spec,
    template: template("work", { restartPolicy: "Never", containers: [{ name: "app", image }] }),
  },
});

const hasFailed = (object: Observed | undefined) => {
  const conditions = (object?.status?.["conditions"] ?? []) as { type: string }[];
  return conditions.some(({ type }) => type === "Failed");
};

export const JOB_SCENARIOS: readonly Scenario[] = [
  {
    name: "job-fails",
    tooNew: TOO_NEW,
    async play(stage) {
      await stage.create("batch/v1/jobs", job("fails:1", { backoffLimit: 1 }));
      await stage.until("batch/v1/jobs/work", hasFailed);
    },
  },
];

/**
 * What takes a minute, or depends on the patience of 1.20; not for the tests of every change.
 *
 * 1.20 forgets some deadlines, on either API server: of 150 jobs 13 on ours and 3 on its own were
 * never failed. It asks for one look at a job when it first sees it; a second look at a cached job
 * that has no start yet writes a later start, which the API cuts to whole seconds. When that falls
 * into the next second, the look comes too early, and it is the only one. Newer versions ask again.
 */
export const SLOW_JOB_SCENARIOS: readonly Scenario[] = [
  {
    name: "job-deadline",
    tooNew: TOO_NEW,
    async play(stage) {
      await stage.create("batch/v1/jobs", job("sleeps:1", { activeDeadlineSeconds: 2 }));
      await stage.until("batch/v1/jobs/work", hasFailed);
    },
  },
  {
    name: "cron-forbid",
    async play(stage) {
      await stage.create("batch/v1/cronjobs", {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name: "each" },
        spec: {
          schedule: "* * * * *",
          concurrencyPolicy: "Forbid",
          jobTemplate: { spec: job("sleeps:1", {}).spec },
        },
      });
      const isActive = (object: Observed | undefined) =>
        (object?.status?.["active"] as object[] | undefined)?.length === 1;
      await stage.until("batch/v1/cronjobs/each", isActive, { patienceMs: 90_000 });
      await stage.patch("batch/v1/cronjobs/each", { spec: { suspend: true } });
    },
  },
];
