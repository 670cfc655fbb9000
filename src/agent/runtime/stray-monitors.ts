import { readFileSync } from "node:fs";
import { type Clock, sleep } from "../../lib/clock.ts";
import { descendantsOf, openProcess } from "../../sys/process.ts";
import { namesIn } from "./container-record.ts";

const PASS_MS = 5;
const PASSES_MAX = 400;

/** Two words of a command line that follow each other. */
export type WordPair = readonly [string, string];

/** Words by which the processes are known that start a container. */
export function startWords({ id, bundle }: { id: string; bundle: string }): WordPair[] {
  return [
    ["--bundle", bundle],
    ["start", id],
  ];
}

/** Those that start a command in one, or wait for its end. */
export function execWords(specPath: string): WordPair[] {
  return [
    ["--process", specPath],
    ["--exec-process-spec", specPath],
  ];
}

/** PIDs of what an agent that died has left at work: monitors and OCI runtimes. */
export function findStrays(words: readonly WordPair[]): number[] {
  return namesIn("/proc")
    .filter((name) => /^\d+$/.test(name) && works(name, words))
    .map(Number);
}

/** Ends them with all that they started. In the middle of a fork, one is more than one. */
export async function endStrays(words: readonly WordPair[], clock: Clock): Promise<void> {
  if (words.length === 0) return;
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const strays = findStrays(words);
    if (strays.length === 0) return;
    // A monitor first, as it has no exit to tell of.
    for (const pid of strays.flatMap((stray) => [stray, ...descendantsOf(stray)])) {
      using process = openProcess(pid);
      process?.signal("SIGKILL");
    }
    await sleep(clock, PASS_MS);
  }
}

function works(pid: string, wanted: readonly WordPair[]): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return wanted.some(([first, second]) =>
      words.some((word, at) => word === first && words[at + 1] === second),
    );
  } catch {
    return false;
  }
}
