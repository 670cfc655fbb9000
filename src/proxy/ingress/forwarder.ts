import type { ClientRequest } from "node:http";
import type { Logger } from "../../lib/logger.ts";
import type { ClientExchange } from "./client-exchange.ts";
import type { EndpointChoice } from "./endpoint-choice.ts";
import { answerHeaders, type HeaderList, requestHeaders } from "./headers.ts";
import { createHttp1Upstream } from "./http1-upstream.ts";
import { createHttp2Upstream } from "./http2-upstream.ts";
import {
  type Endpoint,
  type OpenRequest,
  type UpstreamAnswer,
  type UpstreamRequest,
  UpstreamSilentError,
  type UpstreamTimeouts,
} from "./upstream.ts";

/** Carries requests to endpoints and answers back, without keeping either in memory. */
export interface Forwarder extends Disposable {
  /** Resolves when the answer has begun, or was refused. Never rejects. */
  forward(exchange: ClientExchange, endpoints: readonly Endpoint[]): Promise<void>;
  /** A request that asks for another protocol; `undefined` when no endpoint can be reached. */
  openUpgrade(
    endpoints: readonly Endpoint[],
    request: UpstreamRequest,
  ): Promise<ClientRequest | undefined>;
}

/** What a forwarder works with. */
export interface ForwarderOptions {
  choice: EndpointChoice;
  timeouts: UpstreamTimeouts;
  logger: Logger;
}

/** Asking again changes nothing (RFC 9110 section 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

export function createForwarder({ choice, timeouts, logger }: ForwarderOptions): Forwarder {
  const http1 = createHttp1Upstream(timeouts);
  const http2 = createHttp2Upstream(timeouts);

  /** A connection to the first endpoint that can be reached: nothing was sent to the others. */
  const reach = async <T>(
    endpoints: readonly Endpoint[],
    open: (endpoint: Endpoint) => Promise<T>,
  ): Promise<{ opened: T; endpoint: Endpoint } | undefined> => {
    const tried = new Set<Endpoint>();
    for (;;) {
      const endpoint = choice.pick(endpoints, tried);
      if (!endpoint) return undefined;
      try {
        return { opened: await open(endpoint), endpoint };
      } catch (error) {
        const { address, port } = endpoint;
        logger.debug("an endpoint cannot be reached", { address, port, error });
        choice.failed(endpoint);
        tried.add(endpoint);
      }
    }
  };

  /** Whether it has to be asked once more. */
  const ask = async (
    exchange: ClientExchange,
    { opened, endpoint }: { opened: OpenRequest; endpoint: Endpoint },
  ): Promise<boolean> => {
    const done = choice.started(endpoint);
    const attempt = { isOver: false };
    exchange.onClose(() => {
      done();
      if (!attempt.isOver) opened.destroy();
    });
    if (exchange.body) exchange.body.pipe(opened.body);
    else opened.body.end();
    try {
      const answer = await opened.answer;
      relay(exchange, answer, () => (attempt.isOver = true));
      return false;
    } catch (error) {
      done();
      attempt.isOver = true;
      opened.destroy();
      const wasIdle = opened.isReused && !exchange.body && SAFE_METHODS.has(exchange.method);
      if (wasIdle && !exchange.hasAnswered) return true;
      const { address, port } = endpoint;
      logger.debug("an endpoint does not answer", { address, port, error });
      refuse(exchange, error instanceof UpstreamSilentError ? 504 : 502);
      return false;
    }
  };

  return {
    async forward(exchange, endpoints) {
      let isGone = false;
      exchange.onClose(() => (isGone = true));
      const { method, target } = exchange;
      const headers = requestHeaders(exchange.headers, exchange.client);
      const request = { method, target, headers, hasBody: exchange.body !== undefined };
      for (;;) {
        const found = await reach(endpoints, (endpoint) =>
          (isHttp2(endpoint) ? http2 : http1).open(endpoint, request),
        );
        if (isGone) return found?.opened.destroy();
        if (!found) return refuse(exchange, endpoints.length > 0 ? 502 : 503);
        if (!(await ask(exchange, found))) return;
      }
    },
    async openUpgrade(endpoints, request) {
      const found = await reach(endpoints, (endpoint) => http1.openUpgrade(endpoint, request));
      return found?.opened;
    },
    [Symbol.dispose]() {
      http1[Symbol.dispose]();
      http2[Symbol.dispose]();
    },
  };
}

function isHttp2({ protocol }: Endpoint): boolean {
  return protocol === "h2c" || protocol === "h2";
}

/** Pipes wait for the slower side; an answer that breaks off is seen to break off. */
function relay(exchange: ClientExchange, answer: UpstreamAnswer, over: () => void): void {
  const { body } = answer;
  exchange.answer({
    status: answer.status,
    headers: answerHeaders(answer.headers),
    ends: answer.ends,
  });
  if (answer.ends) {
    body.resume();
    return over();
  }
  let hasEnded = false;
  body.pipe(exchange.out, { end: false });
  body.once("end", () => {
    hasEnded = true;
    over();
    if (answer.isWhole()) exchange.finish(answer.trailers());
    else exchange.cut();
  });
  body.on("error", () => {}); // "close" follows
  body.once("close", () => {
    if (!hasEnded) exchange.cut();
  });
}

const REASONS: Readonly<Record<number, string>> = {
  400: "the request is malformed",
  404: "no rule matches this host and path",
  501: "the rule names another resource than a Service, and only Services are served",
  502: "the service cannot be reached",
  503: "the service has no endpoint that is ready",
  504: "the service does not answer in time",
};

/** Answers in the proxy's own name; outsiders learn nothing about what is inside. */
export function refuse(exchange: ClientExchange, status: number): void {
  if (exchange.hasAnswered) return exchange.cut();
  const text = `${status}: ${REASONS[status] ?? "refused"}\n`;
  const type = "text/plain; charset=utf-8";
  const length = `${Buffer.byteLength(text)}`;
  const headers: HeaderList = ["content-type", type, "content-length", length];
  exchange.answer({ status, headers, ends: false });
  if (exchange.method !== "HEAD") exchange.out.write(text);
  exchange.finish([]);
  exchange.body?.resume();
}
