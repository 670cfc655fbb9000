import { spawnSync } from "node:child_process";
import { shippedRuntime } from "../scripts/shipped-runtime.ts";
import { NODE_FLAGS } from "../src/cmd/up.ts";

/**
 * Whether this process has the heap that `nephos up` gives the server. If not, the benchmark has
 * run in one that has, of the Node.js that ships, and its exit code is that of this process.
 */
export function runsAsShipped(): boolean {
  if (NODE_FLAGS.every((flag) => process.execArgv.includes(flag))) return true;
  const args = [...NODE_FLAGS, ...process.execArgv, ...process.argv.slice(1)];
  process.exitCode = spawnSync(shippedRuntime(), args, { stdio: "inherit" }).status ?? 1;
  return false;
}
