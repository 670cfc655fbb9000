// Looks for inputs that break a promise, for as long as it is given:
//   npm run fuzz -- [MINUTES] [--seed N] [--target NAME]
// Each target runs in turn with a seed of its own; what is found is printed with the seed that finds
// it again, and ends the run with exit code 1.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { fuzzTargets } from "./fuzz-targets.ts";
import { tryTarget } from "./try-target.ts";

const SLICE_MS = 2_000;
const BOUNDS = { timeMs: 2_000, memoryBytes: 512 << 20 };

const { values, positionals } = parseArgs({
  options: { seed: { type: "string" }, target: { type: "string" } },
  allowPositionals: true,
});
const minutes = Number(positionals[0] ?? 1);
const first = Number(values.seed ?? randomInt(2 ** 31));
const targets = fuzzTargets().filter(
  ({ name }) => values.target === undefined || name === values.target,
);
if (targets.length === 0) throw new Error(`There is no target "${values.target}"`);
console.log(`fuzzing ${targets.length} targets for ${minutes} minutes, seed ${first}`);
const untilMs = performance.now() + minutes * 60_000;
const turns = new Map<string, number>();
const broken = new Set<string>();
for (let seed = first; performance.now() < untilMs; seed++) {
  for (const target of targets) {
    if (broken.has(target.name)) continue;
    const sliceMs = performance.now() + SLICE_MS;
    const more = (turn: number) => {
      turns.set(target.name, (turns.get(target.name) ?? 0) + 1);
      return turn < 20 || performance.now() < Math.min(sliceMs, untilMs);
    };
    const finding = await tryTarget(target, { seed, more, bounds: BOUNDS });
    if (!finding) continue;
    broken.add(target.name);
    console.log(`${finding.target}: seed ${finding.seed}, input ${finding.turn}`);
    console.log(`  ${finding.problem.replaceAll("\n", "\n  ")}`);
    console.log(`  ${finding.input.slice(0, 2_000)}`);
  }
}
for (const [name, count] of turns) console.log(`${name}: ${count} inputs`);
if (broken.size > 0) process.exitCode = 1;
