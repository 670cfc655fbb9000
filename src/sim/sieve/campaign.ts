import { seededRandom } from "../../lib/random.ts";
import type { Faults } from "../fault-transport.ts";
import type { Process } from "../sim-cluster.ts";
import type { Scenario } from "./scenario.ts";
import { type Outcome, runTrial, type Trial } from "./trial.ts";

/** Users are done and nothing goes wrong any more at this time. */
const HEALED_MS = 60_000;
const HORIZON_MS = 40_000;

/** What kinds of misfortune there are; a seed picks some for each process. */
const MISFORTUNES: readonly Faults[] = [
  { delayMs: 2_000, duplicates: 0.3 },
  { freezes: 0.05, freezeMs: 15_000 },
  { watchLifeMs: 4_000, expiries: 0.5, duplicates: 0.5 },
  { refusals: 0.2 },
  { lostAnswers: 0.15 },
];

/** Everything goes wrong that a seed says, until a time, in every part that acts. */
export function chaosTrial(scenarios: readonly Scenario[], seed: number): Trial {
  const parts = new Set(scenarios.flatMap((scenario) => scenario.parts));
  const random = seededRandom(seed);
  const chance = (share: number) => random.float() < share;
  const suffering = Array.from(parts, (part): Process => {
    let faults: Faults = { untilMs: HEALED_MS };
    for (const misfortune of MISFORTUNES) if (chance(0.4)) faults = { ...faults, ...misfortune };
    if (chance(0.3)) {
      const atWrite = 1 + Math.floor(random.float() * 12);
      faults = { ...faults, crash: { atWrite, when: chance(0.5) ? "before" : "after" } };
      if (chance(0.5)) faults = { ...faults, staleListMs: random.float() * 3_000 };
    }
    return { parts: [part], faults };
  });
  const trial = { scenarios, seed, suffering };
  return chance(0.2) ? { ...trial, serverDiesAtMs: random.float() * HORIZON_MS } : trial;
}

/** One process dies once, at one write. */
export function crashTrial(
  scenario: Scenario,
  of: { parts: readonly string[]; crash: NonNullable<Faults["crash"]>; staleListMs?: number },
): Trial {
  const { parts, crash, staleListMs = 0 } = of;
  return {
    scenarios: [scenario],
    suffering: [{ parts, faults: { crash, staleListMs, untilMs: HEALED_MS } }],
  };
}

/** A crash before and after every write, until a run has none left to crash at. */
export async function* crashEverywhere(
  scenario: Scenario,
  of: { parts: readonly string[]; expected: readonly string[]; step?: number },
): AsyncGenerator<{ trial: Trial; outcome: Outcome }> {
  for (const when of ["before", "after"] as const) {
    for (let atWrite = 1; ; atWrite += of.step ?? 1) {
      const trial = crashTrial(scenario, { parts: of.parts, crash: { atWrite, when } });
      const outcome = await runTrial({ ...trial, expected: of.expected });
      yield { trial, outcome };
      if (outcome.crashes === 0) break;
    }
  }
}

/** How to see a trial again. */
export function describeTrial({ scenarios, seed, suffering = [] }: Trial): string {
  const name = scenarios.map((scenario) => scenario.name).join("; ");
  if (seed !== undefined) return `"${name}", seed ${seed}`;
  const [{ parts, faults } = { parts: [], faults: {} as Faults }] = suffering;
  const { atWrite, when } = faults.crash ?? {};
  return `"${name}", ${parts.join("+")} dies ${when} write ${atWrite}`;
}
