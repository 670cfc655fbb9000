import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, settingsOf, UNASKED } from "./probe-schedule.ts";

const settings = settingsOf({ periodSeconds: 1, failureThreshold: 2, successThreshold: 1 });

function play(outcomes: string, eager: boolean): { verdicts: string[]; waitedMs: number } {
  let standing = UNASKED;
  let waitedMs = 0;
  const verdicts: string[] = [];
  for (const outcome of outcomes) {
    const judgement = judge(standing, outcome === "+", { settings, eager });
    standing = judgement.standing;
    waitedMs += judgement.waitMs;
    if (judgement.changed) verdicts.push(standing.verdict ?? "");
  }
  return { verdicts, waitedMs };
}

test("a slow starter is asked often at first and none of that counts against it", () => {
  assert.deepEqual(play("------", true), {
    verdicts: [],
    waitedMs: 25 + 50 + 100 + 200 + 400 + 800,
  });
  assert.deepEqual(play("--------", true).verdicts, ["unhealthy"]);
  assert.deepEqual(play("---+", true).verdicts, ["healthy"]);
});

test("liveness keeps to its period and its threshold", () => {
  assert.deepEqual(play("--", false), { verdicts: ["unhealthy"], waitedMs: 2000 });
  assert.deepEqual(play("+-+--", false).verdicts, ["healthy", "unhealthy"]);
});

test("a healthy container that fails is not asked early again", () => {
  assert.deepEqual(play("+-", true), { verdicts: ["healthy"], waitedMs: 2000 });
});

test("a success threshold above one wants successes in a row", () => {
  const strict = { settings: { ...settings, successThreshold: 2 }, eager: false };
  const one = judge(UNASKED, true, strict);
  assert.equal(one.changed, false);
  assert.equal(judge(one.standing, true, strict).changed, true);
});
