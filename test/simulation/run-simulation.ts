// Looks for a fault that breaks a promise of the control plane, for as long as it is given:
//   npm run simulate -- [MINUTES] [--seed N] [--scenario TEXT] [--only crashes|chaos] [--log]
// First every part dies before and after each of its writes, then seeds decide what goes wrong. What
// is found is printed with how to see it again, and ends the run with exit code 1. MINUTES may be 0:
// then just the one seed is played.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { chaosTrial, crashEverywhere, describeTrial } from "../../src/sim/sieve/campaign.ts";
import type { Scenario } from "../../src/sim/sieve/scenario.ts";
import { SCENARIOS } from "../../src/sim/sieve/scenarios/all-scenarios.ts";
import { type Outcome, runTrial, type Trial } from "../../src/sim/sieve/trial.ts";

const LINE_MAX = 400;

const { values, positionals } = parseArgs({
  options: {
    seed: { type: "string" },
    scenario: { type: "string", default: "" },
    only: { type: "string" },
    log: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const minutes = Number(positionals[0] ?? 1);
const first = Number(values.seed ?? randomInt(2 ** 31));
const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.scenario));
if (scenarios.length === 0) throw new Error(`There is no scenario with "${values.scenario}"`);
const untilMs = performance.now() + minutes * 60_000;
const isTime = () => performance.now() < untilMs;
let trials = 0;
let findings = 0;

function report(trial: Trial, outcome: Outcome): void {
  trials++;
  if (outcome.breaches.length === 0) return;
  findings++;
  console.log(`BROKEN ${describeTrial(trial)}`);
  for (const breach of outcome.breaches) console.log(`  ${breach.slice(0, LINE_MAX)}`);
  if (values.log) for (const line of outcome.log) console.log(`    ${line}`);
}

const expected = new Map<Scenario, readonly string[]>();
for (const scenario of scenarios) {
  const outcome = await runTrial({ scenarios: [scenario], restMs: 600_000 });
  report({ scenarios: [scenario] }, outcome);
  expected.set(scenario, outcome.objects);
}

async function crashes(scenario: Scenario): Promise<void> {
  const counts: string[] = [];
  for (const part of scenario.parts) {
    const before = trials;
    const of = { parts: [part], expected: expected.get(scenario) ?? [] };
    for await (const { trial, outcome } of crashEverywhere(scenario, of)) {
      report(trial, outcome);
      if (!isTime()) return;
    }
    // The last ones found no write left to die at.
    counts.push(`${part} ${trials - before - 2}`);
  }
  console.log(`${scenario.name}: crashes of ${counts.join(", ")}`);
}

if (values.only !== "chaos")
  for (const scenario of scenarios) if (isTime()) await crashes(scenario);
if (values.only !== "crashes") {
  for (let seed = first; seed === first || isTime(); seed++) {
    for (const scenario of scenarios) {
      const trial = chaosTrial([scenario], seed);
      report(trial, await runTrial({ ...trial, expected: expected.get(scenario) ?? [] }));
    }
  }
}
console.log(
  `${trials} trials of ${scenarios.length} scenarios from seed ${first}: ${findings} broken`,
);
if (findings > 0) process.exitCode = 1;
