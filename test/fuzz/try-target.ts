import { type Random, seededRandom } from "../../src/lib/random.ts";
import type { AnyTarget } from "./fuzz-target.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateJson } from "./mutate-json.ts";

/** An input that broke a promise, with what is needed to see it again. */
export interface Finding {
  target: string;
  seed: number;
  /** Which input of the seed. */
  turn: number;
  /** The input as text: JSON, or base64 of bytes. */
  input: string;
  problem: string;
}

/** Bounds on the work that one input may cause; only a long run measures them. */
export interface Bounds {
  timeMs: number;
  memoryBytes: number;
}

export interface Attempt {
  seed: number;
  /** Whether to go on, before each turn. */
  more(turn: number): boolean;
  bounds?: Bounds;
}

/** Tries changed inputs until one is a finding, or there are to be no more. */
export async function tryTarget(target: AnyTarget, attempt: Attempt): Promise<Finding | undefined> {
  const random = seededRandom(attempt.seed);
  const next = inputsOf(target, random);
  try {
    for (let turn = 0; attempt.more(turn); turn++) {
      const { text, run } = next(turn);
      const problem = await problemOf(target, { run, bounds: attempt.bounds });
      if (problem) return { target: target.name, seed: attempt.seed, turn, input: text, problem };
    }
    return undefined;
  } finally {
    await target.close?.();
  }
}

interface Trial {
  text: string;
  run: () => void | Promise<void>;
}

/** The seeds themselves come first. */
function inputsOf(target: AnyTarget, random: Random): (turn: number) => Trial {
  if (target.kind === "json") {
    return (turn) => {
      const input = target.seeds[turn] ?? mutateJson(target.seeds, random);
      return { text: JSON.stringify(input) ?? "undefined", run: () => target.run(input) };
    };
  }
  const corpus = target.seeds.map((seed) => Buffer.from(seed));
  const read = (turn: number) => corpus[turn] ?? mutateBytes(corpus, random);
  return (turn) => {
    const bytes = read(turn);
    const run = () =>
      target.kind === "text" ? target.run(bytes.toString("utf8")) : target.run(bytes);
    return { text: bytes.toString("base64"), run };
  };
}

async function problemOf(
  target: AnyTarget,
  { run, bounds }: { run: Trial["run"]; bounds: Bounds | undefined },
): Promise<string | undefined> {
  const startedMs = performance.now();
  const rssBefore = bounds ? process.memoryUsage.rss() : 0;
  try {
    const result = run();
    if (result) await result;
  } catch (error) {
    if (!target.refusals.some((refusal) => error instanceof refusal)) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  }
  if (Object.keys(Object.prototype).length > 0) return "Object.prototype was changed";
  if (!bounds) return undefined;
  const tookMs = performance.now() - startedMs;
  if (tookMs > bounds.timeMs) return `it took ${Math.round(tookMs)} ms`;
  const grownBytes = process.memoryUsage.rss() - rssBefore;
  if (grownBytes > bounds.memoryBytes) return `it took ${grownBytes >> 20} MiB`;
  return undefined;
}
