import { StatusError } from "../api/errors.ts";
import type { EventRecorder } from "../client/event-recorder.ts";

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Tells that a dependent was refused; in a namespace that is going nobody needs to know. */
export function tellRefusal(
  events: EventRecorder,
  of: { about: object; error: unknown; reason?: string; before: string },
): void {
  const { about, error, reason = "FailedCreate", before } = of;
  if (isOfLeavingNamespace(error)) return;
  const message = `${before}: ${messageOf(error)}`;
  events.record({ about, type: "Warning", reason, message });
}

function isOfLeavingNamespace(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  return error.status.details?.causes?.some(isNamespaceTerminating) ?? false;
}

function isNamespaceTerminating({ reason }: { reason?: string }): boolean {
  return reason === "NamespaceTerminating";
}
