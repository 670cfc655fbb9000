import type { IncomingMessage, ServerResponse } from "node:http";
import type { AuditRecord } from "../audit/audit-log.ts";
import type { RequestRow } from "../metrics/request-metrics.ts";

/** A request, its response, and what everybody who handles them adds. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** Become `Warning` headers. */
  warnings: string[];
  /** For its audit event: of its credentials. */
  annotations?: Record<string, string>;
  /** Further headers of the answer, flat. */
  headers: readonly string[];
  /** Absent when nothing of the request is recorded. */
  record: AuditRecord | undefined;
  /** Monotonic milliseconds. */
  receivedMs: number;
  /** Where it is counted, from the moment on that it may be served. */
  row: RequestRow | undefined;
}
