import { CRON_JOBS, JOBS } from "../../../api/generated/resources.ts";
import type { Job } from "../../../api/generated/types/batch-v1.ts";
import { FAILURES, RUN_MS } from "../../fake-nodes.ts";
import type { Scenario } from "../scenario.ts";

const PARTS = ["job", "scheduler", "garbage-collector"];

function job(namespace: string, name: string, of: JobShape = {}): Job {
  const { runMs = 1_500, failures = 0, spec = {} } = of;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace },
    spec: {
      template: {
        metadata: { annotations: { [RUN_MS]: `${runMs}`, [FAILURES]: `${failures}` } },
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: 1,
          containers: [{ name: "c", image: "i" }],
        },
      },
      ...spec,
    },
  };
}

interface JobShape {
  runMs?: number;
  failures?: number;
  spec?: Partial<Job["spec"]>;
}

const completed: Scenario = {
  name: "jobs complete, by index, after failures, or not at all",
  namespace: "jobs",
  parts: PARTS,
  async play({ client, wait, namespace }) {
    const jobs = client.for(JOBS);
    const indexed = { completionMode: "Indexed" as const, completions: 3, parallelism: 2 };
    await jobs.create(job(namespace, "indexed", { spec: indexed }));
    await jobs.create(job(namespace, "retried", { failures: 2 }));
    await jobs.create(job(namespace, "lost", { failures: -1, spec: { backoffLimit: 1 } }));
    const perIndex = { ...indexed, backoffLimitPerIndex: 1 };
    await jobs.create(job(namespace, "lost-by-index", { failures: -1, spec: perIndex }));
    const successPolicy = { rules: [{ succeededCount: 1 }] };
    await jobs.create(
      job(namespace, "enough", { spec: { ...indexed, parallelism: 1, successPolicy } }),
    );
    await wait(60_000);
  },
  async end({ client, namespace }, breach) {
    const { items } = await client.for(JOBS).list({ namespace });
    for (const { metadata, status } of items) {
      const wanted = metadata?.name?.startsWith("lost") ? "Failed" : "Complete";
      const reached = status?.conditions?.some(({ type }) => type === wanted);
      if (!reached) breach(`job ${metadata?.name} is not ${wanted}`);
    }
  },
};

const suspended: Scenario = {
  name: "a job is suspended, resumed, and swept away in its time",
  namespace: "suspended",
  parts: [...PARTS, "ttl-after-finished"],
  async play({ client, wait, namespace }) {
    const jobs = client.for(JOBS);
    const work = { name: "work", namespace };
    const spec = { completions: 2, parallelism: 2, ttlSecondsAfterFinished: 5 };
    await jobs.create(job(namespace, "work", { runMs: 2_500, spec }));
    await wait(1_500);
    await jobs.patch(work, { spec: { suspend: true } });
    await wait(4_000);
    await jobs.patch(work, { spec: { suspend: false } });
    await wait(5_000);
    // It may have ended before anybody saw that it was to be suspended, and be swept away.
    const { items } = await jobs.list({ namespace });
    const failed = items.find(({ metadata }) => metadata?.name === "work")?.status?.failed;
    if (failed) throw new Error(`suspended pods count as ${failed} failures`);
    await jobs.create(job(namespace, "doomed", { runMs: 60_000 }));
    await wait(8_000);
    await jobs.delete({ name: "doomed", namespace }, { propagationPolicy: "Foreground" });
  },
};

const scheduled: Scenario = {
  name: "a cron job runs by the minute, one run at a time",
  namespace: "scheduled",
  parts: ["cron-job", "job", "garbage-collector"],
  async play({ client, wait, namespace }) {
    const cronJobs = client.for(CRON_JOBS);
    const { spec } = job(namespace, "", { runMs: 70_000 });
    await cronJobs.create({
      metadata: { name: "tick", namespace },
      spec: {
        schedule: "* * * * *",
        concurrencyPolicy: "Forbid",
        successfulJobsHistoryLimit: 1,
        jobTemplate: { spec: spec ?? {} },
      },
    } as Parameters<typeof cronJobs.create>[0]);
    await wait(200_000);
    await cronJobs.patch({ name: "tick", namespace }, { spec: { suspend: true } });
    await wait(90_000);
    await cronJobs.delete({ name: "tick", namespace }, { propagationPolicy: "Background" });
  },
};

/** Work that ends. */
export const JOB_SCENARIOS: readonly Scenario[] = [completed, suspended, scheduled];
