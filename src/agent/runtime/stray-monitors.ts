import { readFileSync } from "node:fs";
import { type Clock, sleep } from "../../lib/clock.ts";
import { openProcess } from "../../sys/process.ts";
import { namesIn } from "./container-record.ts";

const PASS_MS = 5;
const PASSES_MAX = 400;

/**
 * Ends what an agent that died was starting in these bundles: monitors, and the OCI runtimes that
 * they run. It may be in the middle of a fork, so this looks until there is none.
 */
export async function endStrayMonitors(bundles: readonly string[], clock: Clock): Promise<void> {
  if (bundles.length === 0) return;
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const strays = namesIn("/proc").filter((name) => /^\d+$/.test(name) && works(name, bundles));
    if (strays.length === 0) return;
    for (const name of strays) {
      using process = openProcess(Number(name));
      process?.signal("SIGKILL");
    }
    await sleep(clock, PASS_MS);
  }
}

function works(pid: string, bundles: readonly string[]): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.some((word, at) => word === "--bundle" && bundles.includes(words[at + 1] ?? ""));
  } catch {
    return false;
  }
}
