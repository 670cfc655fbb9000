import type { MessageTable } from "../protobuf/message-codec.ts";

/** What traces are exported with (opentelemetry-proto 1.3, trace and collector/trace, v1). */
export const TRACE_MESSAGES: MessageTable = {
  ExportTraceServiceRequest: { resourceSpans: "1 repeated ResourceSpans" },
  ExportTraceServiceResponse: { partialSuccess: "1 PartialSuccess" },
  PartialSuccess: { rejectedSpans: "1 int64", errorMessage: "2 string" },
  ResourceSpans: { resource: "1 Resource", scopeSpans: "2 repeated ScopeSpans" },
  Resource: { attributes: "1 repeated KeyValue" },
  ScopeSpans: { scope: "1 Scope", spans: "2 repeated Span" },
  Scope: { name: "1 string", version: "2 string" },
  Span: {
    traceId: "1 bytes",
    spanId: "2 bytes",
    traceState: "3 string",
    parentSpanId: "4 bytes",
    name: "5 string",
    kind: "6 int32",
    startTimeUnixNano: "7 fixed64",
    endTimeUnixNano: "8 fixed64",
    attributes: "9 repeated KeyValue",
    links: "13 repeated Link",
    status: "15 SpanStatus",
  },
  Link: { traceId: "1 bytes", spanId: "2 bytes", traceState: "3 string" },
  SpanStatus: { message: "2 string", code: "3 int32" },
  KeyValue: { key: "1 string", value: "2 AnyValue" },
  AnyValue: { stringValue: "1 string", boolValue: "2 bool", intValue: "3 int64" },
};

/** Where collectors take traces. */
export const TRACE_EXPORT_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/** Kinds of spans. */
export const SPAN_KINDS = { internal: 1, server: 2, client: 3 } as const;
/** Code of a status that tells of a failure. */
export const STATUS_ERROR = 2;
