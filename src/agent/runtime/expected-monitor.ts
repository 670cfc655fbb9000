import {
  closeSync,
  constants,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { makeSpecialFile } from "../../sys/file.ts";
import type { BegunMonitor } from "./conmon.ts";
import { configFile } from "./container-record.ts";

/** So much a FIFO holds, whether or not it is read. Source: pipe(7). */
const CONFIG_MAX_BYTES = 64 * 1024;

/**
 * A monitor that runs ahead of its container. Its OCI runtime first waits at a gate until the
 * container's control group exists; then it loads, and waits for its configuration.
 */
export interface ExpectedMonitor {
  readonly sandboxId: string;
  readonly logPath: string;
  /** Of the container. */
  readonly cgroup: string;
  /** The control group exists, and the runtime may be in it. */
  readonly isOpen: boolean;
  open(): void;
  /** Gives it its configuration. Resolves as `BegunMonitor.answer`. */
  release(config: string): Promise<number>;
  /** Ends it; nothing of it is left but its bundle. */
  dismiss(): Promise<void>;
}

interface Fifo {
  file: string;
  fd: number;
}

/** Open for both, neither end waits for the other; as long as it is open, what is written stays. */
function openFifo(file: string): Fifo {
  makeSpecialFile(file, { file: { kind: "fifo" }, mode: 0o600 });
  return { file, fd: openSync(file, constants.O_RDWR | constants.O_NONBLOCK) };
}

/** Starts one with the file of its gate; its bundle exists. */
export function startExpected(
  { bundle, ...of }: Pick<ExpectedMonitor, "sandboxId" | "logPath" | "cgroup"> & { bundle: string },
  begin: (gate: string) => Pick<BegunMonitor, "answer">,
): ExpectedMonitor {
  const gate = openFifo(path.join(bundle, "gate"));
  let config: Fifo | undefined;
  try {
    config = openFifo(configFile(bundle));
    return expectedMonitor({ ...of, monitor: begin(gate.file), gate, config });
  } catch (error) {
    for (const fifo of [gate, config]) if (fifo) closeSync(fifo.fd);
    throw error;
  }
}

function expectedMonitor(of: {
  sandboxId: string;
  logPath: string;
  cgroup: string;
  monitor: Pick<BegunMonitor, "answer">;
  gate: Fifo;
  config: Fifo;
}): ExpectedMonitor {
  const { monitor, gate, config, sandboxId, logPath, cgroup } = of;
  let isOpen = false;
  const open = () => {
    if (!isOpen) writeSync(gate.fd, "1");
    isOpen = true;
  };
  return {
    sandboxId,
    logPath,
    cgroup,
    get isOpen() {
      return isOpen;
    },
    open,
    async release(text) {
      try {
        // A runtime that comes only now finds the file, as it does when it reads a second time.
        writeFileSync(`${config.file}.new`, text, { mode: 0o600 });
        renameSync(`${config.file}.new`, config.file);
        writeSync(config.fd, text);
        closeSync(config.fd);
        open();
        return await monitor.answer();
      } finally {
        closeSync(gate.fd);
      }
    },
    async dismiss() {
      // What waits there reads the end, what has not come so far finds nothing; the monitor says so.
      for (const { file, fd } of [gate, config]) {
        rmSync(file, { force: true });
        closeSync(fd);
      }
      await monitor.answer().catch(() => {});
    },
  };
}

/** The monitor, which ends if the configuration of its container is too long for it. */
export async function unlessTooLong(
  expected: ExpectedMonitor | undefined,
  config: string,
): Promise<ExpectedMonitor | undefined> {
  if (Buffer.byteLength(config) <= CONFIG_MAX_BYTES) return expected;
  await expected?.dismiss();
  return undefined;
}
