import { accessSync, constants } from "node:fs";
import path from "node:path";

const RUNTIME = path.resolve(import.meta.dirname, "../../node_modules/.bin/node");

/** The Node.js that `bin/nephos` runs: the one that comes with it, else that of this process. */
export function shippedRuntime(): string {
  try {
    accessSync(RUNTIME, constants.X_OK);
    return RUNTIME;
  } catch {
    return process.execPath;
  }
}
