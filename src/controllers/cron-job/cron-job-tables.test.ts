import assert from "node:assert/strict";
import { test } from "node:test";
import type { CronJob, Job } from "../../api/generated/types/batch-v1.ts";
import { CronError } from "../../lib/cron.ts";
import { planCronJob } from "./cron-job-plan.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const POLICIES = ["Allow", "Forbid", "Replace"] as const;
type Policy = (typeof POLICIES)[number];

const TIMES = {
  "before the last hour": "2030-05-19T08:59:00Z",
  "after the last hour": "2030-05-19T09:01:00Z",
  "before the hour": "2030-05-19T09:59:00Z",
  "after the hour": "2030-05-19T10:01:00Z",
  "a week later": "2030-05-26T10:01:00Z",
};
const SHORT = 10;
const MEDIUM = 2 * 3600;
const LONG = 1_000_000;

interface Row {
  before: "never ran" | "ran" | "still runs";
  now: keyof typeof TIMES;
  deadline?: number;
  suspend?: boolean;
  /** Alike for every policy, or by policy: runs made, ended, active, and too many were missed. */
  outcome: Outcome | Record<Policy, Outcome>;
  policies?: readonly Policy[];
}
type Outcome = [made: number, ended: number, active: number, missed?: boolean];

const NOTHING: Outcome = [0, 0, 0];
const RUN: Outcome = [1, 0, 1];

const rows: Row[] = [
  { before: "never ran", now: "before the hour", outcome: NOTHING },
  { before: "never ran", now: "after the hour", outcome: RUN },
  { before: "never ran", now: "after the hour", suspend: true, outcome: NOTHING },
  { before: "never ran", now: "after the hour", deadline: SHORT, outcome: NOTHING },
  { before: "never ran", now: "after the hour", deadline: LONG, outcome: RUN },
  { before: "ran", now: "before the hour", outcome: NOTHING },
  { before: "ran", now: "after the hour", outcome: RUN },
  { before: "ran", now: "after the hour", suspend: true, outcome: NOTHING },
  { before: "ran", now: "after the hour", deadline: SHORT, outcome: NOTHING },
  { before: "ran", now: "after the hour", deadline: LONG, outcome: RUN },
  { before: "still runs", now: "before the hour", outcome: [0, 0, 1] },
  {
    before: "still runs",
    now: "after the hour",
    outcome: { Allow: [1, 0, 2], Forbid: [0, 0, 1], Replace: [1, 1, 1] },
  },
  { before: "still runs", now: "after the hour", suspend: true, outcome: [0, 0, 1] },
  { before: "still runs", now: "after the hour", deadline: SHORT, outcome: [0, 0, 1] },
  {
    before: "still runs",
    now: "after the hour",
    deadline: LONG,
    outcome: [1, 0, 2],
    policies: ["Allow"],
  },
  { before: "ran", now: "a week later", deadline: LONG, outcome: [1, 0, 1, true] },
  { before: "ran", now: "a week later", outcome: [1, 0, 1, true] },
  { before: "ran", now: "a week later", deadline: MEDIUM, outcome: RUN },
];

function cronJob(policy: Policy, row: Omit<Row, "now" | "outcome">): CronJob {
  const ranBefore = row.before !== "never ran";
  const status = ranBefore ? { lastScheduleTime: TIMES["after the last hour"] } : {};
  const active = row.before === "still runs" ? { active: [{ name: "old", uid: "old" }] } : {};
  return {
    metadata: {
      name: "report",
      namespace: "default",
      uid: "c",
      creationTimestamp: TIMES[ranBefore ? "before the last hour" : "before the hour"],
    },
    spec: {
      schedule: "0 * * * ?",
      concurrencyPolicy: policy,
      ...(row.suspend === undefined ? {} : { suspend: row.suspend }),
      ...(row.deadline === undefined ? {} : { startingDeadlineSeconds: row.deadline }),
      jobTemplate: { spec: { template: { spec: { containers: [] } } } },
    },
    status: { ...status, ...active },
  };
}

for (const row of rows) {
  for (const policy of row.policies ?? POLICIES) {
    const deadline = row.deadline === undefined ? "" : `, within ${row.deadline} s`;
    const title = `${row.before}, ${row.now}${deadline}${row.suspend ? ", suspended" : ""}`;
    test(`${policy}: ${title}`, () => {
      const old: Job = { metadata: { name: "old", uid: "old", namespace: "default" } };
      const jobs = row.before === "still runs" ? [old] : [];
      const nowMs = Date.parse(TIMES[row.now]);
      const plan = planCronJob(cronJob(policy, row), { jobs, nowMs });
      const active = (plan.status.active ?? []).length + (plan.create ? 1 : 0);
      const ended = plan.delete.length;
      const outcome = Array.isArray(row.outcome) ? row.outcome : row.outcome[policy];
      const [made, endedWanted, activeWanted, missed = false] = outcome;
      assert.deepEqual(
        [plan.create ? 1 : 0, ended, active - ended, plan.tooManyMissed],
        [made, endedWanted, activeWanted, missed],
      );
      assert.equal(plan.requeueAfterMs !== undefined, row.suspend !== true);
    });
  }
}

test("a schedule that is none starts nothing", () => {
  const wanted = cronJob("Allow", { before: "never ran" });
  const spec = wanted.spec && { ...wanted.spec, schedule: "obvious error schedule" };
  const nowMs = Date.parse(TIMES["after the hour"]);
  assert.throws(
    () => planCronJob({ ...wanted, ...(spec && { spec }) }, { jobs: [], nowMs }),
    CronError,
  );
});

test("a clock that went back starts nothing twice", () => {
  const wanted = cronJob("Forbid", { before: "ran" });
  const status = { lastScheduleTime: TIMES["after the hour"] };
  const nowMs = Date.parse(TIMES["before the hour"]);
  const plan = planCronJob({ ...wanted, status }, { jobs: [], nowMs });
  assert.deepEqual([plan.create, plan.tooManyMissed], [undefined, false]);
});
