import type { IncomingMessage, ServerResponse } from "node:http";
import type { AuditRecord } from "../audit/audit-log.ts";
import type { RequestRow } from "../metrics/request-metrics.ts";
import { WholeRequest } from "./whole-request.ts";
import type { WholeResponse } from "./whole-response.ts";

/** A request, whoever read it. */
export type HttpRequest = IncomingMessage | WholeRequest;
/** What answers it. */
export type HttpResponse = ServerResponse | WholeResponse;

/** A request, its response, and what everybody who handles them adds. */
export interface Exchange {
  request: HttpRequest;
  response: HttpResponse;
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

/** An exchange that may take its time, and be of any size. */
export interface StreamExchange extends Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * The same exchange for whoever reads or writes in pieces. @throws RangeError for a whole request:
 * `isOfOneObject` knows which answers are streams
 */
export function asStream<T extends Pick<Exchange, "request" | "response">>(
  exchange: T,
): T & Pick<StreamExchange, "request" | "response"> {
  if (exchange.request instanceof WholeRequest) {
    throw new RangeError("Cannot stream an answer: the request was taken for one of one object");
  }
  return exchange as T & Pick<StreamExchange, "request" | "response">;
}
