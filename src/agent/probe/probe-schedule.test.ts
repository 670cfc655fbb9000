import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome } from "./outcome.ts";
import { judge, settingsOf, UNASKED } from "./probe-schedule.ts";

const settings = settingsOf({ periodSeconds: 1, failureThreshold: 2, successThreshold: 1 });

const RESULTS: Readonly<Record<string, Outcome["result"]>> = {
  "+": "success",
  "~": "warning",
  "-": "failure",
};

function play(outcomes: string): { verdicts: string[]; waitedMs: number } {
  let standing = UNASKED;
  let waitedMs = 0;
  const verdicts: string[] = [];
  for (const outcome of outcomes) {
    const judgement = judge(standing, RESULTS[outcome] ?? "error", settings);
    standing = judgement.standing;
    waitedMs += judgement.waitMs;
    if (judgement.changed) verdicts.push(standing.verdict ?? "");
  }
  return { verdicts, waitedMs };
}

test("a slow starter is asked often at first and none of that counts against it", () => {
  assert.deepEqual(play("------"), {
    verdicts: [],
    waitedMs: 25 + 50 + 100 + 200 + 400 + 800,
  });
  assert.deepEqual(play("--------").verdicts, ["unhealthy"]);
  assert.deepEqual(play("---+").verdicts, ["healthy"]);
});

test("failures after a success count from the first", () => {
  assert.deepEqual(play("+-+--").verdicts, ["healthy", "unhealthy"]);
});

test("a healthy container that fails is not asked early again", () => {
  assert.deepEqual(play("+-"), { verdicts: ["healthy"], waitedMs: 2000 });
});

test("a success threshold above one wants successes in a row", () => {
  const strict = { ...settings, successThreshold: 2 };
  const one = judge(UNASKED, "success", strict);
  assert.equal(one.changed, false);
  assert.equal(judge(one.standing, "success", strict).changed, true);
});

test("a warning is a success, and what nobody could ask is neither, but both are told of", () => {
  assert.deepEqual(play("~").verdicts, ["healthy"]);
  assert.deepEqual(play("+-?-").verdicts, ["healthy", "unhealthy"]);
  assert.deepEqual(play("+????").verdicts, ["healthy"]);
  const { standing } = judge(UNASKED, "success", settings);
  const told = (["success", "warning", "failure", "error"] as const).filter(
    (result) => judge(standing, result, settings).told,
  );
  assert.deepEqual(told, ["warning", "failure", "error"]);
});
