import assert from "node:assert/strict";
import { test } from "node:test";
import { chaosTrial, crashTrial, describeTrial } from "./campaign.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/all-scenarios.ts";
import { runTrial, type Trial } from "./trial.ts";

async function passes(trial: Trial): Promise<void> {
  const { breaches } = await runTrial(trial);
  assert.deepEqual(breaches, [], describeTrial(trial));
}

test("every kind of workload comes to its end and to rest, whatever goes wrong", async () => {
  const { breaches, objects: expected } = await runTrial({ scenarios: SCENARIOS });
  assert.deepEqual(breaches, []);
  await passes({ ...chaosTrial(SCENARIOS, 1), expected });
});

const scenarioOf = (part: string): Scenario => {
  const found = SCENARIOS.find(({ name }) => name.includes(part));
  assert.ok(found, part);
  return found;
};

/** Seeds that once broke something. */
const REGRESSIONS: readonly [scenario: string, seed: number, what: string][] = [
  ["leave their pods behind", 4, "a collector with a stale view deleted orphans"],
  ["leave their pods behind", 6, "pods whose owner's kind was not known yet stayed for ever"],
  ["rolls, is scaled", 4, "sets that were still to shrink counted as available"],
];

for (const [part, seed, what] of REGRESSIONS) {
  test(`it is no longer so that ${what}`, () => passes(chaosTrial([scenarioOf(part)], seed)));
}

test("the same seed gives the same run", async () => {
  const trial = chaosTrial([scenarioOf("recreated")], 5);
  const [one, other] = [await runTrial(trial), await runTrial(trial)];
  assert.deepEqual(one.log, other.log);
});

test("a collector that dies while it lets orphans go loses none", async () => {
  const scenario = scenarioOf("leave their pods behind");
  for (const when of ["before", "after"] as const) {
    const crash = { atWrite: 2, when };
    await passes(crashTrial(scenario, { parts: ["garbage-collector"], crash }));
  }
});
