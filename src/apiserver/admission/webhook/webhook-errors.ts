import { StatusError } from "../../../api/errors.ts";
import type { Status } from "../../../api/status.ts";

/** The refusal of a request that a webhook said no to. */
export function deniedBy(webhook: string, said: Partial<Status> | undefined): StatusError {
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const why = said?.message || said?.reason;
  const code = Number(said?.code ?? 0);
  return StatusError.from({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: why ? `${denied}: ${why}` : `${denied} without explanation`,
    ...(said?.reason ? { reason: said.reason } : {}),
    ...(said?.details ? { details: said.details } : {}),
    // A code of success, or none that HTTP has, never leaves with a refusal.
    code: Number.isInteger(code) && code >= 400 && code <= 599 ? code : 400,
  });
}

/** The refusal when a webhook cannot be asked and its policy is to fail. */
export function uncallable(webhook: string, error: unknown): StatusError {
  const why = error instanceof Error ? error.message : String(error);
  const message = `failed calling webhook ${JSON.stringify(webhook)}: ${why}`;
  return internal(message, error);
}

/** A webhook did something that this server cannot follow. */
export function internal(message: string, cause?: unknown): StatusError {
  return new StatusError("InternalError", `Internal error occurred: ${message}`, {
    causes: [{ message }],
    cause,
  });
}

/** A dry run must not reach a webhook that would act on it. */
export function noDryRun(webhook: string): StatusError {
  const name = JSON.stringify(webhook);
  return new StatusError("BadRequest", `admission webhook ${name} does not support dry run`);
}
