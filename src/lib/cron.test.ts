import assert from "node:assert/strict";
import { test } from "node:test";
import { CronError, lastCronTime, nextCronTime, parseCron, type ZoneOffset } from "./cron.ts";

const HOUR_MS = 3_600_000;
const minuteOf = (time: number | undefined) =>
  time === undefined ? undefined : new Date(time).toISOString().slice(0, 16);

function next(text: string, after: string, offsetMs = 0): string | undefined {
  return minuteOf(nextCronTime(parseCron(text), Date.parse(after), { offsetAt: () => offsetMs }));
}

test("the next time is the one a calendar gives", () => {
  const cases: [string, string, string][] = [
    ["* * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:01"],
    ["*/15 * * * *", "2026-01-01T00:15:00Z", "2026-01-01T00:30"],
    ["0 3 * * *", "2026-01-01T03:00:00Z", "2026-01-02T03:00"],
    ["30 8-10/2 * * mon-fri", "2026-01-02T10:30:00Z", "2026-01-05T08:30"],
    ["0 0 13 * 5", "2026-01-03T00:00:00Z", "2026-01-09T00:00"],
    ["0 0 29 feb *", "2026-01-01T00:00:00Z", "2028-02-29T00:00"],
    ["@hourly", "2026-01-01T00:00:00Z", "2026-01-01T01:00"],
    ["@every 90m", "2026-01-01T00:00:00Z", "2026-01-01T01:30"],
  ];
  for (const [text, after, wanted] of cases) assert.equal(next(text, after), wanted, text);
  assert.equal(next("0 0 30 2 *", "2026-01-01T00:00:00Z"), undefined);
  assert.equal(next("0 9 * * *", "2026-01-01T00:00:00Z", HOUR_MS), "2026-01-01T08:00");
});

/** An hour ahead from March 29th 01:00 to October 25th 01:00 UTC, else at UTC. */
const summer: ZoneOffset = (epochMs) => {
  const [start, end] = [Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1)];
  return epochMs >= start && epochMs < end ? HOUR_MS : 0;
};

function runs(text: string, of: { after: string; count: number }): (string | undefined)[] {
  const schedule = parseCron(text);
  const found: (string | undefined)[] = [];
  let at: number | undefined = Date.parse(of.after);
  while (at !== undefined && found.length < of.count) {
    at = nextCronTime(schedule, at, { offsetAt: summer });
    found.push(minuteOf(at));
  }
  return found;
}

test("what a clock skips in spring is not due that day", () => {
  const [first, second] = runs("30 1 * * *", { after: "2026-03-28T00:00:00Z", count: 2 });
  assert.deepEqual([first, second], ["2026-03-28T01:30", "2026-03-30T00:30"]);
  assert.deepEqual(runs("0 */2 * * *", { after: "2026-03-29T00:00:00Z", count: 2 }), [
    "2026-03-29T01:00",
    "2026-03-29T03:00",
  ]);
});

test("what a clock shows twice in autumn is due twice", () => {
  assert.deepEqual(runs("30 1 * * *", { after: "2026-10-24T12:00:00Z", count: 3 }), [
    "2026-10-25T00:30",
    "2026-10-25T01:30",
    "2026-10-26T01:30",
  ]);
  assert.deepEqual(runs("*/30 * * * *", { after: "2026-10-25T00:00:00Z", count: 3 }), [
    "2026-10-25T00:30",
    "2026-10-25T01:00",
    "2026-10-25T01:30",
  ]);
});

test("a day, a month and a year are found across changes of the clock", () => {
  const march = { after: "2026-03-15T00:00:00Z", count: 2 };
  assert.deepEqual(runs("0 0 1 * *", march), ["2026-03-31T23:00", "2026-04-30T23:00"]);
  assert.deepEqual(runs("0 12 24 12 *", march), ["2026-12-24T12:00", "2027-12-24T12:00"]);
});

test("the last time is the one before the next", () => {
  const last = (text: string, after: string, until: string) => {
    const span = { afterMs: Date.parse(after), untilMs: Date.parse(until), offsetAt: summer };
    return minuteOf(lastCronTime(parseCron(text), span));
  };
  const year = "2026-01-01T00:00:00Z";
  assert.equal(last("0 * * * *", year, "2026-01-01T05:59:00Z"), "2026-01-01T05:00");
  assert.equal(last("0 * * * *", "2026-01-01T05:00:00Z", "2026-01-01T05:59:00Z"), undefined);
  assert.equal(last("* * 1 1 *", year, "2026-09-01T00:00:00Z"), "2026-01-01T23:59");
  assert.equal(last("30 1 * * *", year, "2026-10-25T01:29:00Z"), "2026-10-25T00:30");
  assert.equal(last("30 1 * * *", year, "2026-03-29T12:00:00Z"), "2026-03-28T01:30");
  assert.equal(last("@every 90m", year, "2026-01-01T04:00:00Z"), "2026-01-01T03:00");
  assert.equal(last("@every 90m", year, "2026-01-01T01:00:00Z"), undefined);
});

test("what is no schedule is refused", () => {
  const bad = [
    "",
    "* * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "5-1 * * * *",
    "*/0 * * * *",
  ];
  for (const text of [
    ...bad,
    "a * * * *",
    "1-2-3 * * * *",
    "@never",
    "constructor",
    "@every x",
    "@every 1x",
  ]) {
    assert.throws(() => parseCron(text), CronError, text);
  }
});
