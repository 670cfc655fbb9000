import { closeSync, constants, openSync, writeSync } from "node:fs";
import path from "node:path";

/** Kinds of messages that conmon reads from its control FIFO; two numbers follow each. */
const MESSAGE = { resize: 1, reopenLogs: 2 } as const;

/** Gives the terminal of a monitor's process a size; false when the process has ended. */
export function resizeTerminal(
  bundle: string,
  { columns, rows }: { columns: number; rows: number },
): boolean {
  return writeControl(bundle, `${MESSAGE.resize} ${rows} ${columns}\n`);
}

/** Asks the monitor to write its log into a new file; false when the monitor is gone. */
export function reopenLogs(bundle: string): boolean {
  return writeControl(bundle, `${MESSAGE.reopenLogs} 0 0\n`);
}

function writeControl(bundle: string, line: string): boolean {
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK;
    const fd = openSync(path.join(bundle, "ctl"), flags);
    try {
      writeSync(fd, line);
      return true;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}
