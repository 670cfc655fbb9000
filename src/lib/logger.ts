/** Values attached to a log line; keys are camelCase, units stand in the key. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging; the adapter in `cmd` decides on format and destination. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

/** Drops everything; the default in unit tests. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
};
