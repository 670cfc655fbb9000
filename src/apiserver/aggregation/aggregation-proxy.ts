import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { StatusError } from "../../api/errors.ts";
import { type Status } from "../../api/status.ts";
import type { ApiRequest, ApiResponse, WatchEventType, WatchSink } from "../../api/transport.ts";
import type { Clock } from "../../lib/clock.ts";
import type { UserInfo } from "../contract.ts";
import { answerHeaders, answerOf, isForwarded, relayUpgrade } from "../remote/relay.ts";
import type { ApiServiceTable, RemoteGroupVersion } from "./api-service-table.ts";
import type { StreamExchange } from "../http/exchange.ts";
import type { RemoteClient } from "./remote-client.ts";

const REMOTE_PATH = /^(?:\/openapi\/v3)?\/apis\/([^/]+)\/([^/]+)(?:\/|$)/;
/** A caller in this process does not wait longer. */
const FETCH_TIMEOUT_MS = 60_000;
/** In-process answers larger than this are refused. */
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;

/** Who asks for what, already authorized. */
interface Forwarded {
  remote: RemoteGroupVersion;
  user: UserInfo;
}

/** Hands requests for other servers' group-versions on to them, in the name of the user. */
export class AggregationProxy {
  readonly #table: ApiServiceTable;
  readonly #client: RemoteClient;

  readonly #clock: Clock;

  constructor(table: ApiServiceTable, client: RemoteClient, clock: Clock) {
    this.#table = table;
    this.#client = client;
    this.#clock = clock;
  }

  /** Who answers for a path, if not this server. */
  route(path: string): RemoteGroupVersion | undefined {
    if (this.#table.remotes().length === 0) return undefined;
    const [, group, version] = REMOTE_PATH.exec(path) ?? [];
    return group && version ? this.#table.find(group, version) : undefined;
  }

  /** An ordinary request, or a watch. */
  async request(
    { request, response, headers: own }: Pick<StreamExchange, "request" | "response" | "headers">,
    { remote, user }: Forwarded,
  ): Promise<void> {
    const outgoing = this.#open(request, { remote, user });
    const send = () => request.pipe(outgoing);
    const incoming = await answerOf(outgoing, send, response).catch(unreachable);
    response.writeHead(incoming.statusCode ?? 502, answerHeaders(incoming.rawHeaders, own));
    response.flushHeaders();
    response.on("close", () => incoming.destroy());
    incoming.on("error", () => response.destroy());
    incoming.pipe(response);
  }

  /** A request that turns its connection into a stream. */
  async upgrade(
    request: IncomingMessage,
    of: Forwarded & { socket: Duplex; head: Buffer },
  ): Promise<void> {
    const connection = { connection: "Upgrade", upgrade: request.headers.upgrade ?? "" };
    const outgoing = this.#open(request, of, connection);
    await relayUpgrade(outgoing, of).catch(unreachable);
  }

  /** A request of a caller in this process. @throws StatusError */
  async fetch(request: ApiRequest, { remote, user }: Forwarded): Promise<ApiResponse> {
    const { status, text } = await this.#within(FETCH_TIMEOUT_MS, async (signal) => {
      const incoming = await this.#send({ ...request, signal }, { remote, user });
      return { status: incoming.statusCode ?? 500, text: await readText(incoming) };
    });
    const body = parse(text);
    if (status < 400) return { status, body };
    throw StatusError.from(statusOf(body, status, text));
  }

  async #begin(request: ApiRequest, forwarded: Forwarded): Promise<IncomingMessage> {
    return this.#within(FETCH_TIMEOUT_MS, (signal) =>
      this.#send({ ...request, signal }, forwarded),
    );
  }

  /** Aborts what takes too long. */
  async #within<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = new AbortController();
    const why = new Error("context deadline exceeded");
    const timer = this.#clock.setTimer(timeoutMs, () => deadline.abort(why));
    try {
      return await work(deadline.signal);
    } catch (error) {
      if (deadline.signal.aborted) unreachable(why);
      throw error;
    } finally {
      timer.cancel();
    }
  }

  /** A watch of a caller in this process. @throws StatusError */
  async watch(
    request: ApiRequest,
    { remote, user, sink }: Forwarded & { sink: WatchSink },
  ): Promise<Disposable> {
    const path = `${request.path}${request.path.includes("?") ? "&" : "?"}watch=1`;
    // Only the beginning is bounded: a watch may be quiet for long.
    const incoming = await this.#begin({ method: "GET", path }, { remote, user });
    const status = incoming.statusCode ?? 500;
    if (status >= 400) {
      const text = await readText(incoming);
      throw StatusError.from(statusOf(parse(text), status, text));
    }
    return new LineWatch(incoming, sink);
  }

  #open(request: IncomingMessage, { remote, user }: Forwarded, extra: Record<string, string> = {}) {
    this.#requireAvailable(remote);
    const headers: Record<string, string | string[]> = { ...extra };
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined && isForwarded(name)) headers[name] = value;
    }
    const from = request.socket.remoteAddress;
    if (from) headers["x-forwarded-for"] = from;
    if (request.headers["transfer-encoding"]) headers["transfer-encoding"] = "chunked";
    const { method = "GET", url: path = "/" } = request;
    try {
      return this.#client.open(remote, { method, path, user, headers });
    } catch {
      throw unavailable();
    }
  }

  async #send(request: ApiRequest, { remote, user }: Forwarded): Promise<IncomingMessage> {
    this.#requireAvailable(remote);
    const { method, path, body, contentType = "application/json", signal } = request;
    const bytes = body instanceof Uint8Array ? body : body && Buffer.from(JSON.stringify(body));
    const headers = {
      accept: "application/json",
      ...(bytes ? { "content-type": contentType, "content-length": String(bytes.byteLength) } : {}),
    };
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = this.#client.open(remote, { method, path, user, headers, signal });
      outgoing.once("response", resolve);
      outgoing.once("error", reject);
      outgoing.end(bytes);
    }).catch(unreachable);
  }

  #requireAvailable({ available }: RemoteGroupVersion): void {
    if (!available) throw unavailable();
  }
}

function unavailable(): StatusError {
  return new StatusError("ServiceUnavailable", "service unavailable");
}

function unreachable(error: unknown): never {
  const why = error instanceof Error ? error.message : String(error);
  throw new StatusError("ServiceUnavailable", `error trying to reach service: ${why}`, {
    cause: error,
  });
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > ANSWER_MAX_BYTES) {
      incoming.destroy();
      throw new StatusError("InternalError", "the answer of an aggregated API is too large");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The Status that came, or one around what came instead. */
function statusOf(body: unknown, code: number, text: string): Status {
  if (typeof body === "object" && body !== null && (body as Status).kind === "Status") {
    return { ...(body as Status), code };
  }
  const reason = code === 404 ? "NotFound" : code === 503 ? "ServiceUnavailable" : "";
  const message = text.slice(0, 1024) || `the server answered with status ${code}`;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    ...(reason ? { reason } : {}),
    code,
  };
}

/** Reads a watch line by line. */
class LineWatch implements Disposable {
  readonly #incoming: IncomingMessage;
  readonly #sink: WatchSink;
  #rest = "";
  #done = false;

  constructor(incoming: IncomingMessage, sink: WatchSink) {
    this.#incoming = incoming;
    this.#sink = sink;
    incoming.setEncoding("utf8");
    incoming.on("data", (text: string) => this.#read(text));
    incoming.once("close", () => this.#close());
    incoming.once("error", (error) => this.#close(error));
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#incoming.destroy();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (this.#done || !line) continue;
      const event = parse(line) as { type?: string; object?: unknown } | undefined;
      if (!event?.type) return this.#close(new Error("a watch event is no JSON"));
      const { type, object } = event;
      if (type === "ERROR") return this.#close(StatusError.from(object as Status));
      this.#sink.event(type as WatchEventType, object);
    }
    if (this.#rest.length > ANSWER_MAX_BYTES) this.#close(new Error("a watch event is too large"));
  }

  #close(error?: unknown): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.closed(error);
  }
}
