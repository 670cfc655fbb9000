import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import { Arrivals, TOGETHER_MAX } from "./arrivals.ts";

test("what arrives in one turn takes each step before any takes the next", async () => {
  const arrivals = new Arrivals();
  const steps: string[] = [];
  const serve = async (name: string) => {
    for (const step of [1, 2, 3]) {
      steps.push(`${name}${step}`);
      await Promise.resolve();
    }
  };
  for (const name of ["a", "b"]) arrivals.add(() => void serve(name));
  assert.deepEqual(steps, []);
  await nextTurn();
  assert.deepEqual(steps, ["a1", "b1", "a2", "b2", "a3", "b3"]);
  arrivals.add(() => void serve("c"));
  await nextTurn();
  assert.deepEqual(steps.slice(6), ["c1", "c2", "c3"]);
});

test("what comes beyond a bounded number waits for those before", async () => {
  const arrivals = new Arrivals();
  const steps: number[] = [];
  for (let at = 0; at < TOGETHER_MAX + 1; at++) {
    arrivals.add(() => {
      steps.push(at);
      void Promise.resolve().then(() => steps.push(-1));
    });
  }
  await nextTurn();
  assert.equal(steps.length, 2 * (TOGETHER_MAX + 1));
  assert.equal(steps.indexOf(-1), TOGETHER_MAX);
  assert.equal(steps.indexOf(TOGETHER_MAX), 2 * TOGETHER_MAX);
});
