import assert from "node:assert/strict";
import { test } from "node:test";
import { CronError, nextCronTime, parseCron } from "./cron.ts";

function next(text: string, after: string, offsetMs = 0): string | undefined {
  const time = nextCronTime(parseCron(text), Date.parse(after), { offsetMs });
  return time === undefined ? undefined : new Date(time).toISOString().slice(0, 16);
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
  assert.equal(next("0 9 * * *", "2026-01-01T00:00:00Z", 3_600_000), "2026-01-01T08:00");
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
