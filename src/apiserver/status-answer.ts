import { StatusError } from "../api/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { StoreError } from "../store/errors.ts";

/** Whether an error is a mistake of this server's own, as a panic is elsewhere. */
export function isFault(error: unknown): boolean {
  return !(error instanceof StatusError) && !(error instanceof StoreError);
}

/** The refusal that tells a client what `error` means to it; logs what it should not see. */
export function toStatusError(error: unknown, logger: Logger): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof StoreError) {
    switch (error.code) {
      case "closed":
        return new StatusError("ServiceUnavailable", "the server is shutting down", {
          retryAfterSeconds: 1,
          cause: error,
        });
      case "compacted":
        return new StatusError("Expired", "The provided resource version is too old", {
          cause: error,
        });
      case "disk-full":
      case "unreadable":
      case "unwritable":
      case "io":
        logger.error("the store failed", { error });
        return new StatusError("InternalError", `Internal error occurred: ${error.message}`, {
          cause: error,
        });
      default:
    }
  }
  logger.error("a request failed unexpectedly", { error });
  return new StatusError("InternalError", "Internal error occurred", { cause: error });
}
