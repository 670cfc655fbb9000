import { once } from "node:events";
import type { IncomingMessage, ClientRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { STATUS_REASONS, StatusError, type StatusReason } from "../api/errors.ts";
import type { Status } from "../api/status.ts";
import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../api/transport.ts";
import { WatchDecoder } from "./watch-decoder.ts";

const RESPONSE_MAX_BYTES = 256 << 20;
/** Longer than any server lets a request run, so that only dead connections meet it. */
const SILENCE_MAX_MS = 75_000;
const KEEP_ALIVE_MS = 15_000;
/** A new connection that is not secured by then goes nowhere: another one may. */
const HANDSHAKE_MS = 10_000;

/** Where an API server is and who asks. Certificates and keys are PEM text. */
export interface HttpsTransportOptions {
  /** "https://127.0.0.1:6443". */
  server: string;
  /** The only authorities that are trusted for the server; the system's when absent. */
  caPem?: string;
  certPem?: string;
  keyPem?: string;
  token?: string;
  /** How long a new connection may take until it is secured; default 10,000 ms. */
  handshakeMs?: number;
}

/** A transport that must be disposed to close its idle connections. */
export interface HttpsTransport extends Transport, Disposable {}

/**
 * Speaks HTTP/1.1 over TLS with kept-alive connections. Requests that find all connections busy
 * wait for one; each watch has a connection of its own.
 */
export function createHttpsTransport(options: HttpsTransportOptions): HttpsTransport {
  return new HttpsClientTransport(options);
}

class HttpsClientTransport implements HttpsTransport {
  readonly #server: URL;
  readonly #token: string | undefined;
  readonly #handshakeMs: number;
  readonly #requests: Agent;
  readonly #watches: Agent;
  /** Connections whose handshake is, or was, waited for. */
  readonly #bounded = new WeakSet<object>();

  constructor(options: HttpsTransportOptions) {
    this.#server = new URL(options.server);
    this.#token = options.token;
    this.#handshakeMs = options.handshakeMs ?? HANDSHAKE_MS;
    const { caPem, certPem, keyPem } = options;
    const tls = {
      ...(caPem ? { ca: caPem } : {}),
      ...(certPem ? { cert: certPem } : {}),
      ...(keyPem ? { key: keyPem } : {}),
    };
    const keepAlive = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS };
    this.#requests = new Agent({ ...tls, ...keepAlive, maxSockets: 32 });
    this.#watches = new Agent({ ...tls, keepAlive: false });
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    const response = await this.#exchange(request);
    const text = await readText(response);
    const status = response.statusCode ?? 0;
    if (status >= 400) throw refusalOf(status, text);
    return { status, body: text ? parseJson(text) : undefined };
  }

  async watch(request: ApiRequest, sink: WatchSink): Promise<Disposable> {
    const path = `${request.path}${request.path.includes("?") ? "&" : "?"}watch=1`;
    const opening = this.#open({ ...request, path }, this.#watches);
    const response = await answerTo(opening);
    const status = response.statusCode ?? 0;
    if (status >= 400) throw refusalOf(status, await readText(response));
    response.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return follow(response, sink);
  }

  [Symbol.dispose](): void {
    this.#requests.destroy();
    this.#watches.destroy();
  }

  async #exchange(request: ApiRequest): Promise<IncomingMessage> {
    for (;;) {
      const opening = this.#open(request, this.#requests);
      opening.setTimeout(SILENCE_MAX_MS, () => {
        opening.destroy(new Error(`Cannot finish ${describe(request)}: the server fell silent`));
      });
      try {
        return await answerTo(opening);
      } catch (error) {
        // The server closed an idle connection just as we took it. Reading again is harmless, and
        // fresh connections do not meet this, so it ends.
        const idleRace = opening.reusedSocket && (error as { code?: string }).code === "ECONNRESET";
        if (!idleRace || request.method !== "GET") throw error;
      }
    }
  }

  #open(request: ApiRequest, agent: Agent): ClientRequest {
    const body = encodeBody(request.body);
    const opening = httpsRequest({
      agent,
      host: this.#server.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: this.#server.port || 443,
      method: request.method,
      path: this.#server.pathname.replace(/\/$/, "") + request.path,
      headers: {
        accept: "application/json",
        ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
        ...(body
          ? {
              "content-type": request.contentType ?? "application/json",
              "content-length": body.length,
            }
          : {}),
      },
      ...(request.signal ? { signal: request.signal } : {}),
    });
    this.#boundHandshake(opening);
    opening.end(body);
    return opening;
  }

  /** Gives up a connection whose other end falls silent before it is secured. */
  #boundHandshake(opening: ClientRequest): void {
    opening.once("socket", (socket) => {
      // A request that waited for its turn gets an old connection, and `reusedSocket` is not set.
      if (this.#bounded.has(socket)) return;
      this.#bounded.add(socket);
      const late = AbortSignal.timeout(this.#handshakeMs);
      const giveUp = () => socket.destroy(new Error("Cannot connect: no TLS handshake in time"));
      late.addEventListener("abort", giveUp);
      socket.once("secureConnect", () => late.removeEventListener("abort", giveUp));
    });
  }
}

async function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  // A failure after the answer has begun also shows on the response, which somebody reads.
  request.on("error", () => {});
  return response;
}

async function readText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > RESPONSE_MAX_BYTES) {
      throw new Error(`Cannot read answer: it exceeds ${RESPONSE_MAX_BYTES} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** Feeds the sink until the stream ends, fails or is disposed; says so exactly once. */
function follow(response: IncomingMessage, sink: WatchSink): Disposable {
  let stopped = false;
  const stop = () => {
    stopped = true;
    response.destroy();
  };
  const close = (error?: unknown) => {
    if (stopped) return;
    stop();
    sink.closed(error);
  };
  const decoder = new WatchDecoder(sink);
  response.on("data", (chunk: Buffer) => {
    if (stopped) return;
    try {
      decoder.write(chunk, () => stopped);
    } catch (error) {
      close(error);
    }
  });
  response.on("error", close);
  response.on("end", () => close());
  response.on("close", () => close());
  return { [Symbol.dispose]: stop };
}

function refusalOf(code: number, text: string): StatusError {
  let body: Partial<Status> | undefined;
  try {
    body = JSON.parse(text) as Partial<Status>;
  } catch {
    // Proxies answer in HTML or plain text; the code still says what happened.
  }
  if (body?.kind === "Status") return StatusError.from({ code, ...body } as Status);
  const known = Object.entries(STATUS_REASONS).find(([, usual]) => usual === code);
  const reason = (known?.[0] ?? "") as StatusReason | "";
  return new StatusError(reason, text.slice(0, 500) || `HTTP status ${code}`, { code });
}

function encodeBody(body: object | undefined): Uint8Array | undefined {
  if (!body || body instanceof Uint8Array) return body;
  return Buffer.from(JSON.stringify(body));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`Cannot read answer: not JSON: ${text.slice(0, 80)}`, { cause });
  }
}

function describe({ method, path }: ApiRequest): string {
  return `${method} ${path}`;
}
