import {
  SPAN_KINDS,
  STATUS_ERROR,
  TRACE_EXPORT_PATH,
  TRACE_MESSAGES,
} from "../../format/otlp/trace-messages.ts";
import type { GrpcTarget } from "../../format/grpc/grpc-target.ts";
import { createMessageCodec } from "../../format/protobuf/message-codec.ts";
import { BoundedQueue } from "../../lib/bounded-queue.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { GrpcChannel } from "../remote/grpc-channel.ts";
import type { Attributes, Span, SpanContext } from "./span.ts";

/** Spans that wait at most; older ones are dropped for newer ones. */
const WAITING_MAX = 2_048;
const BATCH_MAX = 512;
const EXPORT_MS = 5_000;
const TIMEOUT_MS = 10_000;
const NANOS_PER_MS = 1e6;

/** Where spans go, and on whose behalf. */
export interface ExporterOptions {
  collector: GrpcTarget;
  /** Which part of this program records them. */
  scope: string;
  /** Of the process: "service.name" and the like. */
  resource: Attributes;
  clock: Clock;
  logger: Logger;
}

/**
 * Sends spans to a collector by OTLP over gRPC, without TLS as upstream's does: in batches, the
 * oldest of which are lost when the collector does not keep up.
 */
export class OtlpExporter implements AsyncDisposable {
  readonly #options: ExporterOptions;
  readonly #codec = createMessageCodec(TRACE_MESSAGES);
  readonly #waiting = new BoundedQueue<Span>(WAITING_MAX);
  readonly #channel: GrpcChannel;
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
    this.#channel = new GrpcChannel(options.collector, options.clock);
  }

  add(span: Span): void {
    this.#waiting.push(span);
    if (this.#waiting.size >= BATCH_MAX) void this.flush();
    else this.#timer ??= this.#options.clock.setTimer(EXPORT_MS, () => void this.flush());
  }

  /** Sends what waits. Never throws: what the collector does not take is lost. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    this.#channel[Symbol.dispose]();
  }

  async #send(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch: Span[] = [];
      for (let span = this.#waiting.shift(); span; span = this.#waiting.shift()) {
        batch.push(span);
        if (batch.length === BATCH_MAX) break;
      }
      try {
        await this.#channel.call(TRACE_EXPORT_PATH, this.#encode(batch), TIMEOUT_MS);
        this.#isFailing = false;
      } catch (error) {
        const { logger } = this.#options;
        if (!this.#isFailing) logger.warn("spans were not taken by the collector", { error });
        this.#isFailing = true;
      }
    }
  }

  #encode(batch: readonly Span[]): Buffer {
    const resource = { attributes: keyValues(this.#options.resource) };
    const scopeSpans = [{ scope: { name: this.#options.scope }, spans: batch.map(messageOf) }];
    return this.#codec.encode("ExportTraceServiceRequest", {
      resourceSpans: [{ resource, scopeSpans }],
    });
  }
}

function messageOf(span: Span): object {
  const { traceId, spanId, parentSpanId, link, name, kind, failure } = span;
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind: SPAN_KINDS[kind],
    startTimeUnixNano: Math.round(span.startMs * NANOS_PER_MS),
    endTimeUnixNano: Math.round(span.endMs * NANOS_PER_MS),
    attributes: keyValues(span.attributes),
    links: link ? [linkOf(link)] : [],
    ...(failure === undefined ? {} : { status: { message: failure, code: STATUS_ERROR } }),
  };
}

function linkOf({ traceId, spanId }: SpanContext): SpanContext {
  return { traceId, spanId };
}

function keyValues(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([key, value]) => {
    return { key, value: typeof value === "string" ? { stringValue: value } : { intValue: value } };
  });
}
