import assert from "node:assert/strict";
import { test } from "node:test";
import type { CronJob, Job } from "../../api/generated/types/batch-v1.ts";
import { planCronJob } from "./cron-job-plan.ts";
import { CronError, lastRun, nextRun, parseCron } from "./cron-schedule.ts";

const at = (text: string) => Date.parse(text);
const iso = (epochMs: number | undefined) =>
  epochMs === undefined ? "never" : new Date(epochMs).toISOString().slice(0, 16);

const NEXT: [schedule: string, zone: string | undefined, after: string, next: string][] = [
  ["*/15 * * * *", undefined, "2030-01-01T00:00:00Z", "2030-01-01T00:15"],
  ["5 4 * * *", undefined, "2030-01-01T04:05:00Z", "2030-01-02T04:05"],
  ["0 0 1 * *", undefined, "2030-01-15T00:00:00Z", "2030-02-01T00:00"],
  ["0 9 * * mon-fri", undefined, "2030-01-04T10:00:00Z", "2030-01-07T09:00"],
  ["0 0 29 2 *", undefined, "2030-01-01T00:00:00Z", "2032-02-29T00:00"],
  ["0 0 13 * 5", undefined, "2030-01-01T00:00:00Z", "2030-01-04T00:00"],
  ["0 0 * * 7", undefined, "2030-01-01T00:00:00Z", "2030-01-06T00:00"],
  ["@hourly", undefined, "2030-01-01T00:30:00Z", "2030-01-01T01:00"],
  ["0 12 * * *", "Europe/Berlin", "2030-07-01T00:00:00Z", "2030-07-01T10:00"],
  ["0 12 * * *", "Europe/Berlin", "2030-01-01T00:00:00Z", "2030-01-01T11:00"],
  ["0 0 30 2 *", undefined, "2030-01-01T00:00:00Z", "never"],
];
for (const [schedule, zone, after, next] of NEXT) {
  test(`"${schedule}" in ${zone ?? "UTC"} after ${after} runs ${next}`, () => {
    assert.equal(iso(nextRun(parseCron(schedule, zone), at(after))), next);
  });
}

test("the last run lies within its span", () => {
  const hourly = parseCron("0 * * * *", undefined);
  const span = { afterMs: at("2030-01-01T00:00:00Z"), untilMs: at("2030-01-01T05:59:00Z") };
  assert.equal(iso(lastRun(hourly, span)), "2030-01-01T05:00");
  const empty = { afterMs: at("2030-01-01T05:00:00Z"), untilMs: at("2030-01-01T05:59:00Z") };
  assert.equal(lastRun(hourly, empty), undefined);
});

for (const bad of ["* * * *", "60 * * * *", "a * * * *", "*/0 * * * *", "5-1 * * * *"]) {
  test(`"${bad}" is refused`, () => assert.throws(() => parseCron(bad, undefined), CronError));
}

function cron(spec: Partial<CronJob["spec"]> = {}, status: CronJob["status"] = {}): CronJob {
  return {
    metadata: {
      name: "tick",
      namespace: "default",
      uid: "c",
      creationTimestamp: "2030-01-01T00:00:30Z",
    },
    spec: {
      schedule: "* * * * *",
      jobTemplate: { spec: { template: { spec: { containers: [] } } } },
      ...spec,
    },
    status,
  };
}

function job(name: string, over?: "Complete" | "Failed"): Job {
  const startTime = `2030-01-01T00:00:0${name.slice(-1)}Z`;
  return {
    metadata: { name, uid: name, namespace: "default" },
    status: {
      startTime,
      ...(over
        ? { completionTime: startTime, conditions: [{ type: over, status: "True" as const }] }
        : {}),
    },
  };
}

const NOW = at("2030-01-01T00:05:10Z");
const plan = (wanted: CronJob, jobs: Job[] = []) => planCronJob(wanted, { jobs, nowMs: NOW });

test("only the latest missed run is made up for", () => {
  const { create, status, requeueAfterMs } = plan(cron());
  assert.equal(create?.metadata?.name, `tick-${at("2030-01-01T00:05:00Z") / 60_000}`);
  assert.equal(status.lastScheduleTime, "2030-01-01T00:05:00Z");
  assert.equal(requeueAfterMs, 50_000);
});

test("a run is started once", () => {
  const done = { lastScheduleTime: "2030-01-01T00:05:00Z" };
  assert.equal(plan(cron({}, done)).create, undefined);
});

test("a run that is too late is skipped", () => {
  const late = plan(cron({ startingDeadlineSeconds: 5 }));
  assert.deepEqual([late.create, late.skipped], [undefined, "MissSchedule"]);
});

test("Forbid waits for the running job, Replace ends it, Allow starts another", () => {
  const running = [job("tick-1")];
  const forbid = plan(cron({ concurrencyPolicy: "Forbid" }), running);
  assert.deepEqual([forbid.create, forbid.skipped], [undefined, "JobAlreadyActive"]);
  const replace = plan(cron({ concurrencyPolicy: "Replace" }), running);
  assert.deepEqual(replace.delete, running);
  assert.ok(replace.create);
  const allow = plan(cron(), running);
  assert.deepEqual(allow.delete, []);
  assert.ok(allow.create);
});

test("a suspended cron job starts nothing but keeps its history short", () => {
  const jobs = [1, 2, 3, 4].map((at) => job(`tick-${at}`, "Complete"));
  const { create, delete: doomed, status } = plan(cron({ suspend: true }), jobs);
  assert.equal(create, undefined);
  assert.deepEqual(
    doomed.map(({ metadata }) => metadata?.name),
    ["tick-1"],
  );
  assert.equal(status.lastSuccessfulTime, "2030-01-01T00:00:04Z");
});
