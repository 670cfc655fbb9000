import { openDataDirectory } from "./data-directory.ts";
import { createJsonLogger } from "./json-logger.ts";
import { installLastResort } from "./last-resort.ts";
import { startMachine } from "./machine.ts";
import { parseUpOptions } from "./options.ts";
import type { ServeMessage } from "./serve-message.ts";
import { meansShutdown, untilSignal } from "./signals.ts";

/** After this long, a daemon that could not start ends in any case. */
const LEAVE_AFTER_MS = 5_000;

function tell(message: ServeMessage): void {
  if (process.connected) process.send?.(message);
}

/** `nephos serve`: the daemon that `up` starts. */
export async function serve(args: readonly string[]): Promise<number> {
  const options = parseUpOptions(args);
  // Where the user called from is no business of a daemon, once it knows what the paths mean.
  process.chdir("/");
  const directory = openDataDirectory(options.dataDirectory, { create: true });
  const logger = createJsonLogger(options.logLevel);
  installLastResort(logger);
  try {
    await using machine = await startMachine({ options, directory, logger });
    tell({ type: "ready" });
    if (process.connected) process.disconnect();
    void machine.rehearse();
    const signal = await untilSignal();
    logger.info("stopping", { signal });
    if (meansShutdown(signal)) await machine.shutDown();
    return 0;
  } catch (error) {
    logger.error("Nephos cannot start", { error });
    tell({ type: "failed", text: (error as Error).message });
    if (process.connected) process.disconnect();
    // Whatever is left open must not keep a daemon that serves nobody.
    setTimeout(() => process.exit(1), LEAVE_AFTER_MS).unref();
    return 1;
  }
}
