import type { Logger } from "../lib/logger.ts";

/**
 * What happens to failures that nobody handled. A rejected promise belongs to one request or one
 * pod: it is logged, and everybody else goes on. An exception outside any promise may have left
 * shared state half changed: the process ends; containers run on and the next start finds them.
 */
export function installLastResort(logger: Logger): void {
  process.on("unhandledRejection", (error) => {
    logger.error("a failure was not handled", { error });
  });
  process.on("uncaughtException", (error) => {
    logger.error("ending after an exception that nobody caught", { error });
    process.exit(70);
  });
}
