import type { Random } from "../../lib/random.ts";

/** What a span says of what it covers. */
export type Attributes = Readonly<Record<string, string | number>>;

/** A place in a trace, be it of this server or of whoever asks it. */
export interface SpanContext {
  /** 16 bytes. */
  traceId: Uint8Array;
  /** 8 bytes. */
  spanId: Uint8Array;
}

/** A span that is over, with times in milliseconds since 1970. */
export interface Span extends SpanContext {
  parentSpanId: Uint8Array | undefined;
  /** Who asked, and may not decide on what is recorded here. */
  link: SpanContext | undefined;
  name: string;
  kind: "server" | "client" | "internal";
  startMs: number;
  endMs: number;
  attributes: Attributes;
  /** Why what it covers failed. */
  failure: string | undefined;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-|$)/;
const ZERO = /^0+$/;

/** The place that a `traceparent` header names (W3C Trace Context), if it is one. */
export function parseTraceparent(header: unknown): SpanContext | undefined {
  if (typeof header !== "string" || header.startsWith("ff")) return undefined;
  const [, trace, span] = TRACEPARENT.exec(header) ?? [];
  if (!trace || !span || ZERO.test(trace) || ZERO.test(span)) return undefined;
  return { traceId: Buffer.from(trace, "hex"), spanId: Buffer.from(span, "hex") };
}

/** The header that names a place which is recorded. */
export function traceparentOf({ traceId, spanId }: SpanContext): string {
  return `00-${hex(traceId)}-${hex(spanId)}-01`;
}

/** A place of its own, in the trace of `parent` if there is one. */
export function newContext(random: Random, parent?: SpanContext): SpanContext {
  return { traceId: parent?.traceId ?? random.bytes(16), spanId: random.bytes(8) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
