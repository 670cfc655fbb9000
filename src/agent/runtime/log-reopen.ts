import { existsSync } from "node:fs";
import { sleep } from "../../lib/clock.ts";
import { RuntimeError } from "./contract.ts";
import { reopenLogs } from "./monitor-control.ts";
import type { RuntimeContext } from "./runtime-context.ts";

const RETRY_MS = 10;
const RETRIES = 500;

/** See the contract. The monitor makes the new file under another name and renames it, last. */
export async function reopenLog(context: RuntimeContext, id: string): Promise<void> {
  const { status } = context.table.container(id);
  if (status.state === "exited" || !reopenLogs(context.paths.bundle(id))) {
    const message = `Cannot reopen the log of container "${status.name}": it has ended`;
    throw new RuntimeError("not-running", message);
  }
  for (let attempt = 0; !existsSync(status.logPath); attempt++) {
    if (attempt >= RETRIES) {
      const message = `Cannot reopen the log of container "${status.name}": its monitor is silent`;
      throw new RuntimeError("runtime-failed", message);
    }
    await sleep(context.clock, RETRY_MS);
  }
}
