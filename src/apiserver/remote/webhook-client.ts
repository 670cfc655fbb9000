import https from "node:https";
import type { IncomingMessage } from "node:http";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { ObjectReader } from "../contract.ts";
import type { Tracer } from "../tracing/tracer.ts";
import { type Address, resolveService } from "./service-address.ts";

/** Larger answers are refused before they fill the memory. */
const ANSWER_MAX_BYTES = 10 * 1024 * 1024;
const AGENTS_MAX = 128;
/** An endpoint that could not be reached is left alone for so long, if there is another. */
const AVOID_MS = 5_000;

/** `WebhookClientConfig` of admission and conversion alike. */
export interface WebhookClientConfig {
  url?: string;
  service?: { namespace: string; name: string; path?: string; port?: number };
  /** PEM in base64; the system's roots without it. */
  caBundle?: string;
}

/** One call. */
export interface WebhookCall {
  config: WebhookClientConfig;
  body: object;
  timeoutMs: number;
  /** Puts `?timeout=` on the URL, for the webhook to know. */
  tellsTimeout?: boolean;
}

/** What is sent, and as a part of which request. */
interface Content {
  bytes: Uint8Array;
  traceparent?: string | undefined;
}

/** Where a call goes: the URL that errors name, and the address behind it. */
interface Destination {
  url: URL;
  address: Address;
  serverName: string;
  caBundle: string;
}

/** The webhook could not be reached, or what it said is no answer. */
export class WebhookCallError extends Error {
  override name = "WebhookCallError";
}

/** What a client needs. */
export interface WebhookClientParts {
  reader: ObjectReader;
  clock: Clock;
  random: Random;
  /** Makes calls a part of the requests that need them. */
  tracer?: Tracer | undefined;
}

/** Posts JSON to webhooks over connections that are kept; disposing closes them. */
export class WebhookClient implements Disposable {
  readonly #parts: WebhookClientParts;
  /** By server name and authority; the oldest goes first. */
  readonly #agents = new Map<string, https.Agent>();
  /** When an endpoint failed, in monotonic milliseconds. */
  readonly #failures = new Map<string, number>();

  constructor(parts: WebhookClientParts) {
    this.#parts = parts;
  }

  /** The JSON that the webhook answers with. @throws WebhookCallError */
  async call(call: WebhookCall): Promise<unknown> {
    const url = urlOf(call);
    try {
      const bytes = Buffer.from(JSON.stringify(call.body));
      const attributes = { "http.method": "POST", "http.url": url.href };
      const span = { name: "HTTP POST", kind: "client", attributes } as const;
      const { tracer } = this.#parts;
      const text = await (tracer
        ? tracer.within(span, (traceparent) => this.#post(url, { bytes, traceparent }, call))
        : this.#post(url, { bytes }, call));
      return JSON.parse(text) as unknown;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof SyntaxError) {
        throw new WebhookCallError(`couldn't get version/kind; json parse error: ${why}`);
      }
      if (error instanceof StatusCodeError) throw new WebhookCallError(why);
      throw new WebhookCallError(`Post ${JSON.stringify(url.href)}: ${why}`, { cause: error });
    }
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #post(url: URL, content: Content, call: WebhookCall): Promise<string> {
    const { clock } = this.#parts;
    const deadline = new AbortController();
    const timer = clock.setTimer(call.timeoutMs, () =>
      deadline.abort(new Error("context deadline exceeded")),
    );
    try {
      for (let attempt = 1; ; attempt++) {
        const destination = this.#destination(url, call.config);
        try {
          return await this.#exchange(destination, content, deadline.signal);
        } catch (error) {
          if (deadline.signal.aborted) throw deadline.signal.reason;
          // A kept connection that the peer closed meanwhile says nothing about the peer.
          if (!(error instanceof StaleConnectionError) || attempt > 1) throw error;
        }
      }
    } finally {
      timer.cancel();
    }
  }

  #destination(url: URL, { service, caBundle = "" }: WebhookClientConfig): Destination {
    if (!service) {
      const address = { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 443) };
      return { url, address, serverName: address.host, caBundle };
    }
    const target = { ...service, port: service.port ?? 443 };
    const now = this.#parts.clock.monotonicMs();
    const avoid = (address: Address) => {
      const failedMs = this.#failures.get(keyOf(address));
      return failedMs !== undefined && now - failedMs < AVOID_MS;
    };
    const address = resolveService(target, { ...this.#parts, avoid });
    return { url, address, serverName: url.hostname, caBundle };
  }

  #exchange(
    to: Destination,
    { bytes, traceparent }: Content,
    signal: AbortSignal,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = https.request({
        ...to.address,
        method: "POST",
        path: `${to.url.pathname}${to.url.search}`,
        agent: this.#agentFor(to),
        servername: isAddress(to.serverName) ? "" : to.serverName,
        headers: {
          host: to.url.host,
          "content-type": "application/json",
          "content-length": String(bytes.byteLength),
          accept: "application/json, */*",
          "user-agent": "kube-apiserver-admission",
          ...(traceparent ? { traceparent } : {}),
        },
        signal,
      });
      let answered = false;
      request.once("response", (response) => {
        answered = true;
        readAnswer(response).then(resolve, reject);
      });
      request.once("error", (error: NodeJS.ErrnoException) => {
        if (answered) return reject(error);
        if (request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE")) {
          return reject(new StaleConnectionError(error.message));
        }
        this.#noteFailure(to.address);
        reject(error);
      });
      request.end(bytes);
    });
  }

  #noteFailure(address: Address): void {
    const key = keyOf(address);
    this.#failures.delete(key);
    this.#failures.set(key, this.#parts.clock.monotonicMs());
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > AGENTS_MAX && oldest) this.#failures.delete(oldest);
  }

  #agentFor({ serverName, caBundle }: Destination): https.Agent {
    const key = `${serverName} ${caBundle}`;
    let agent = this.#agents.get(key);
    if (agent) {
      this.#agents.delete(key);
    } else {
      agent = new https.Agent({
        keepAlive: true,
        maxFreeSockets: 16,
        // What follows a name is checked against the name, wherever its address is dialled.
        ...(caBundle ? { ca: Buffer.from(caBundle, "base64").toString() } : {}),
      });
    }
    this.#agents.set(key, agent);
    const [oldest] = this.#agents;
    if (this.#agents.size > AGENTS_MAX && oldest) {
      oldest[1].destroy();
      this.#agents.delete(oldest[0]);
    }
    return agent;
  }
}

class StaleConnectionError extends Error {}
class StatusCodeError extends Error {}

/** The URL of a webhook as upstream writes it in errors. @throws WebhookCallError */
function urlOf({ config, timeoutMs, tellsTimeout }: WebhookCall): URL {
  const { service } = config;
  const text = service
    ? `https://${service.name}.${service.namespace}.svc:${service.port ?? 443}` +
      `${(service.path ?? "").startsWith("/") ? "" : "/"}${service.path ?? ""}`
    : config.url;
  if (!text || !URL.canParse(text)) {
    throw new WebhookCallError(`the URL ${JSON.stringify(text ?? "")} cannot be parsed`);
  }
  const url = new URL(text);
  if (url.protocol !== "https:") {
    throw new WebhookCallError(`the URL ${JSON.stringify(text)} must begin with https://`);
  }
  if (tellsTimeout) url.searchParams.set("timeout", `${Math.ceil(timeoutMs / 1000)}s`);
  return url;
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const { statusCode = 0 } = response;
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > ANSWER_MAX_BYTES) {
      response.destroy();
      throw new StatusCodeError(`the answer is larger than ${ANSWER_MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  if (statusCode !== 200) throw new StatusCodeError(unexpectedStatus(statusCode));
  return Buffer.concat(chunks).toString();
}

function unexpectedStatus(code: number): string {
  switch (code) {
    case 404:
      return "the server could not find the requested resource";
    case 405:
      return "the server does not allow this method on the requested resource";
    case 503:
      return "the server is currently unable to handle the request";
    default:
      return `the server responded with the status code ${code} but did not return more information`;
  }
}

function keyOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || name.includes(":");
}
