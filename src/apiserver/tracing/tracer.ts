import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../lib/clock.ts";
import { type Random, randomUuid } from "../../lib/random.ts";
import {
  type Attributes,
  newContext,
  parseTraceparent,
  type Span,
  type SpanContext,
  traceparentOf,
} from "./span.ts";

const MILLION = 1_000_000;

/** What a tracer needs. */
export interface TracerOptions {
  samplingRatePerMillion: number;
  clock: Clock;
  random: Random;
  /** Takes spans that are over. */
  record(span: Span): void;
}

/** A span that is not over yet. */
export interface OpenSpan {
  readonly context: SpanContext;
  /** `atMs` is the monotonic time when it was over; now when absent. */
  end(of?: { attributes?: Attributes; failure?: string | undefined; atMs?: number }): void;
}

/**
 * Chooses the requests that are recorded, and knows in the midst of one whose it is. It exists only
 * where a configuration asks for it, and follows the work of recorded requests only.
 */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #current = new AsyncLocalStorage<SpanContext>();

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  newAuditId(): string {
    return randomUuid(this.#options.random);
  }

  /** Whether a request that begins now is recorded. */
  samples(): boolean {
    const { random, samplingRatePerMillion } = this.#options;
    return random.float() * MILLION < samplingRatePerMillion;
  }

  /**
   * Begins the trace of a request. A trace that it is said to belong to is linked only: whoever can
   * reach the server must not decide on what it records.
   */
  beginRequest(name: string, traceparent: unknown): OpenSpan {
    const context = newContext(this.#options.random);
    return this.#open(context, { name, kind: "server", link: parseTraceparent(traceparent) });
  }

  /** Begins a trace of what nobody asked for by a request. */
  begin(name: string): OpenSpan {
    return this.#open(newContext(this.#options.random), { name, kind: "internal" });
  }

  /** Runs work on behalf of a request. */
  run<T>(span: OpenSpan, work: () => T): T {
    return this.#current.run(span.context, work);
  }

  /** Does something as a part of the request that asks for it; without one just does it. */
  async within<T>(
    of: { name: string; kind: "client" | "internal"; attributes?: Attributes },
    work: (traceparent: string | undefined) => Promise<T>,
  ): Promise<T> {
    const parent = this.#current.getStore();
    if (!parent) return work(undefined);
    const context = newContext(this.#options.random, parent);
    const span = this.#open(context, { ...of, parent });
    let failure: string | undefined;
    try {
      return await this.#current.run(context, () => work(traceparentOf(context)));
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      span.end({ ...(of.attributes ? { attributes: of.attributes } : {}), failure });
    }
  }

  #open(
    context: SpanContext,
    of: Pick<Span, "name" | "kind"> & { parent?: SpanContext; link?: SpanContext | undefined },
  ): OpenSpan {
    const { clock, record } = this.#options;
    const startMs = clock.now();
    const sinceMs = clock.monotonicMs();
    return {
      context,
      end: ({ attributes = {}, failure, atMs = clock.monotonicMs() } = {}) =>
        record({
          ...context,
          parentSpanId: of.parent?.spanId,
          link: of.link,
          name: of.name,
          kind: of.kind,
          startMs,
          endMs: startMs + atMs - sinceMs,
          attributes,
          failure,
        }),
    };
  }
}
