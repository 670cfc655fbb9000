import assert from "node:assert/strict";
import { test } from "node:test";
import { chaosTrial, describeTrial } from "./campaign.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/all-scenarios.ts";
import { runTrial, type Trial } from "./trial.ts";

async function passes(trial: Trial): Promise<void> {
  const { breaches } = await runTrial(trial);
  assert.deepEqual(breaches, [], describeTrial(trial));
}

/** Those that take many virtual minutes are left to `npm run simulate`. */
const LONG: ReadonlySet<string> = new Set(["scheduled", "fallen", "jobs", "scaled"]);

test("every kind of workload comes to its end and to rest", async () => {
  const scenarios = SCENARIOS.filter(({ namespace }) => !LONG.has(namespace));
  await passes({ scenarios });
});

const scenarioOf = (part: string): Scenario => {
  const found = SCENARIOS.find(({ name }) => name.includes(part));
  assert.ok(found, part);
  return found;
};

/** Seeds that once broke something; `npm run simulate` looks for more. */
const REGRESSIONS: readonly [scenario: string, seed: number, what: string][] = [
  ["leave their pods behind", 4, "a collector with a stale view deleted orphans"],
  ["leave their pods behind", 6, "pods were made for an owner that is gone, without an end"],
  ["evictions spare", 11, "a pod that came and went unseen was never replaced"],
  ["a stateful set with", 12, "a pod being deleted counted as gone"],
  ["a parallel stateful", 15, "pods outlived an owner that the collector never saw"],
];

for (const [part, seed, what] of REGRESSIONS) {
  test(`it is no longer so that ${what}`, () => passes(chaosTrial([scenarioOf(part)], seed)));
}

test("the same seed gives the same run; no claim goes that a new pod uses", async () => {
  const trial = chaosTrial([scenarioOf("claims are bound")], 13);
  const [one, other] = [await runTrial(trial), await runTrial(trial)];
  assert.deepEqual(one.breaches, []);
  assert.deepEqual(one.log, other.log);
});
