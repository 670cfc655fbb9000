import { formatMicroTime } from "../lib/clock.ts";
import type { LogFields, Logger } from "../lib/logger.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** Least severe level that is written. */
export type LogLevel = (typeof LEVELS)[number];

/** One JSON object a line on standard error; errors are written with their message and stack. */
export function createJsonLogger(level: LogLevel, fields: LogFields = {}): Logger {
  const at =
    (severity: LogLevel) =>
    (message: string, more: LogFields = {}) => {
      if (LEVELS.indexOf(severity) < LEVELS.indexOf(level)) return;
      const line = {
        time: formatMicroTime(Date.now()),
        level: severity,
        message,
        ...fields,
        ...more,
      };
      process.stderr.write(`${JSON.stringify(line, writeError)}\n`);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (more) => createJsonLogger(level, { ...fields, ...more }),
  };
}

function writeError(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { message, stack, cause } = value;
  return { message, stack: stack?.split("\n").slice(1, 4).join("\n"), ...(cause ? { cause } : {}) };
}
