// Plays the same scenarios with controllers and API servers in any combination and prints how the
// final states differ from those of Kubernetes 1.20 alone:
//   npm run differential:controllers -- [WORD OF A SCENARIO ...]
import { playScenarios, unexplainedIn } from "./compare-control-planes.ts";
import { COMBINATIONS } from "./control-planes.ts";
import { SCENARIOS, SLOW_SCENARIOS } from "./scenarios.ts";

const words = process.argv.slice(2);
const scenarios = [...SCENARIOS, ...SLOW_SCENARIOS].filter(
  ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
);
const [reference, ...others] = await Promise.all(
  COMBINATIONS.map((combination) => playScenarios(combination, scenarios)),
);
others.forEach((outcome, at) => {
  const { server = "", controllers = "" } = COMBINATIONS[at + 1] ?? {};
  const lines = unexplainedIn(outcome, reference ?? new Map());
  console.log(`controllers: ${controllers}, API server: ${server}: ${lines.length} differences`);
  for (const line of lines) console.log(`  ${line}`);
  if (lines.length > 0) process.exitCode = 1;
});
