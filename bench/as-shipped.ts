import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { shippedRuntime } from "../scripts/shipped-runtime.ts";
import { NODE_FLAGS } from "../src/cmd/up.ts";

/**
 * Whether this process is of the Node.js that ships and has the heap that `nephos up` gives the
 * server. If not, the benchmark has run in one that is, and its exit code is that of this process.
 */
export const runsAsShipped = (): boolean => runsOnShipped(NODE_FLAGS);

/** The same for a benchmark that is a client alone, whose heap is as it likes. */
export function runsOnShipped(flags: readonly string[] = []): boolean {
  const runtime = shippedRuntime();
  const isShipped = realpathSync(process.execPath) === realpathSync(runtime);
  if (isShipped && flags.every((flag) => process.execArgv.includes(flag))) return true;
  const args = [...flags, ...process.execArgv, ...process.argv.slice(1)];
  // Whoever ends this process ends the benchmark, which cleans up by itself then.
  const bound = ["--pdeathsig", "TERM", runtime, ...args];
  process.exitCode = spawnSync("setpriv", bound, { stdio: "inherit" }).status ?? 1;
  return false;
}
