import assert from "node:assert/strict";
import { test } from "node:test";
import { chaosTrial, crashEverywhere, crashTrial, describeTrial } from "./campaign.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/all-scenarios.ts";
import { runTrial, type Trial } from "./trial.ts";

async function passes(trial: Trial): Promise<void> {
  const { breaches } = await runTrial(trial);
  assert.deepEqual(breaches, [], describeTrial(trial));
}

/** Those that take many virtual minutes are left to `npm run simulate`. */
const LONG: ReadonlySet<string> = new Set(["scheduled", "fallen", "jobs", "scaled", "kept"]);

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
  ["evictions spare", 11, "a pod that came and went unseen was never replaced"],
  ["a stateful set with", 12, "a pod being deleted counted as gone"],
  ["a parallel stateful", 15, "pods outlived an owner that the collector never saw"],
];

for (const [part, seed, what] of REGRESSIONS) {
  test(`it is no longer so that ${what}`, () => passes(chaosTrial([scenarioOf(part)], seed)));
}

/** Some of what `npm run simulate -- MINUTES --only crashes` does at every write of every part. */
const CRASHES: readonly [scenario: string, step: number][] = [
  ["tokens come and go", 2],
  ["objects that own each other", 3],
  ["claims are bound", 8],
];

for (const [part, step] of CRASHES) {
  const scenario = scenarioOf(part);
  test(`${scenario.name}, though parts die before and after their writes`, async () => {
    const { objects: expected } = await runTrial({ scenarios: [scenario], restMs: 600_000 });
    let crashes = 0;
    for (const name of scenario.parts) {
      const of = { parts: [name], expected, step };
      for await (const { trial, outcome } of crashEverywhere(scenario, of)) {
        assert.deepEqual(outcome.breaches, [], describeTrial(trial));
        crashes += outcome.crashes;
      }
    }
    assert.ok(crashes > 0);
  });
}

test("a rollback counts no pod of a set whose controller is away", async () => {
  const scenario = scenarioOf("a deployment of four");
  await passes(
    crashTrial(scenario, { parts: ["replica-set"], crash: { atWrite: 27, when: "after" } }),
  );
});

test("the same seed gives the same run; no claim goes that a new pod uses", async () => {
  const trial = chaosTrial([scenarioOf("claims are bound")], 13);
  const [one, other] = [await runTrial(trial), await runTrial(trial)];
  assert.deepEqual(one.breaches, []);
  assert.deepEqual(one.log, other.log);
});
