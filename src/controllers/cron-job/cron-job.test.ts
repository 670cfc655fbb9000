import assert from "node:assert/strict";
import { test } from "node:test";
import type { CronJob, Job } from "../../api/generated/types/batch-v1.ts";
import { planCronJob } from "./cron-job-plan.ts";
import { TimeZoneError } from "./time-zone.ts";

const at = (text: string) => Date.parse(text);
const SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp";

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
    metadata: { name, uid: name, namespace: "default", annotations: { [SCHEDULED_AT]: "then" } },
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
  assert.deepEqual([late.create, late.requeueAfterMs], [undefined, 50_000]);
  assert.ok(plan(cron({ startingDeadlineSeconds: 15 })).create);
});

test("Forbid waits for the running job, Replace ends it, Allow starts another", () => {
  const running = [job("tick-1")];
  const forbid = plan(cron({ concurrencyPolicy: "Forbid" }), running);
  assert.deepEqual([forbid.create, forbid.forbidden], [undefined, true]);
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

test("times are those of the time zone, summer and winter", () => {
  const noon = cron({ schedule: "0 12 * * *", timeZone: "Europe/Berlin" });
  const due = (now: string, last: string) =>
    planCronJob({ ...noon, status: { lastScheduleTime: last } }, { jobs: [], nowMs: at(now) });
  const summer = due("2030-07-01T10:00:05Z", "2030-06-30T10:00:00Z");
  assert.equal(summer.status.lastScheduleTime, "2030-07-01T10:00:00Z");
  const winter = due("2030-12-01T10:00:05Z", "2030-11-30T11:00:00Z");
  assert.deepEqual([winter.create, winter.requeueAfterMs], [undefined, 3_595_000]);
});

test("a run that the clock shows twice comes twice, under names of its own", () => {
  const night = cron({ schedule: "30 2 * * *", timeZone: "Europe/Berlin" });
  const started = (now: string, last: string) =>
    planCronJob({ ...night, status: { lastScheduleTime: last } }, { jobs: [], nowMs: at(now) })
      .create?.metadata?.name;
  const first = started("2030-10-27T00:30:01Z", "2030-10-26T00:30:00Z");
  const second = started("2030-10-27T01:30:01Z", "2030-10-27T00:30:00Z");
  assert.ok(first && second && first !== second);
});

test("a time zone that nobody knows is named", () => {
  assert.throws(() => plan(cron({ timeZone: "Moon/Sea" })), TimeZoneError);
});

test("a schedule may repeat after a fixed time", () => {
  const { create, requeueAfterMs } = plan(cron({ schedule: "@every 2m" }));
  assert.equal(create?.metadata?.annotations?.[SCHEDULED_AT], "2030-01-01T00:04:30Z");
  assert.equal(requeueAfterMs, 80_000);
});

test("more than a hundred missed runs are told of, unless a deadline forgets them", () => {
  const old = { lastScheduleTime: "2029-12-31T22:00:00Z" };
  assert.equal(plan(cron({}, old)).tooManyMissed, true);
  assert.equal(plan(cron({ startingDeadlineSeconds: 600 }, old)).tooManyMissed, false);
  assert.equal(plan(cron()).tooManyMissed, false);
});

test("Forbid waits for a job on its way out, Replace does not end it again", () => {
  const [one] = [job("tick-1")];
  const leaving = {
    ...one,
    metadata: { ...one?.metadata, deletionTimestamp: "2030-01-01T00:05:00Z" },
  };
  assert.equal(plan(cron({ concurrencyPolicy: "Forbid" }), [leaving]).forbidden, true);
  const replace = plan(cron({ concurrencyPolicy: "Replace" }), [leaving]);
  assert.deepEqual([replace.delete, replace.create !== undefined], [[], true]);
});

test("a job that somebody started by hand stands in nobody's way", () => {
  const annotations = { "cronjob.kubernetes.io/instantiate": "manual" };
  const byHand: Job = { metadata: { name: "mine", uid: "m", annotations } };
  const forbid = plan(cron({ concurrencyPolicy: "Forbid" }), [byHand]);
  const { create, status, delete: doomed, unexpected } = forbid;
  assert.deepEqual([create !== undefined, status.active, doomed], [true, undefined, []]);
  assert.deepEqual(unexpected, ["mine"]);
  assert.deepEqual(plan(cron({ concurrencyPolicy: "Replace" }), [byHand]).delete, []);
});

test("jobs that ran and are over, or gone, are told of", () => {
  const active = ["tick-1", "tick-2", "tick-3", "tick-4"].map((name) => ({ name, uid: name }));
  const jobs = [job("tick-1", "Complete"), job("tick-2", "Failed"), job("tick-3")];
  const { ended, status } = plan(cron({ suspend: true }, { active }), jobs);
  assert.deepEqual(ended, [
    { name: "tick-1", how: "Complete" },
    { name: "tick-2", how: "Failed" },
    { name: "tick-4", how: undefined },
  ]);
  assert.deepEqual(
    status.active?.map(({ name }) => name),
    ["tick-3"],
  );
});

test("a job says by the clock of its zone when it was due", () => {
  const due = (timeZone: string) =>
    plan(cron({ timeZone })).create?.metadata?.annotations?.[SCHEDULED_AT];
  assert.equal(due("Europe/Berlin"), "2030-01-01T01:05:00+01:00");
  assert.equal(due("America/St_Johns"), "2029-12-31T20:35:00-03:30");
  assert.equal(due("UTC"), "2030-01-01T00:05:00Z");
});
