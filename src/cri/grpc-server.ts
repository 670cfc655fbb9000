import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { connect, createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { Duplex, Transform } from "node:stream";
import { AuthorityFilter } from "../format/hpack/authority-filter.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import {
  encodeGrpcMessage,
  GRPC_CODES,
  GrpcError,
  parseGrpcTimeout,
} from "../format/grpc/grpc-status.ts";

/** One call of a method. */
export interface GrpcCall {
  /** Aborted when the caller left or its deadline passed. */
  readonly signal: AbortSignal;
}

/** Answers a call with one message, or with any number of them. */
export type GrpcMethod =
  | { streams: false; answer(request: Uint8Array, call: GrpcCall): Promise<Uint8Array> }
  | { streams: true; answer(request: Uint8Array, call: GrpcCall): AsyncIterable<Uint8Array> };

/** What a server needs. */
export interface GrpcServerOptions {
  /** Unix socket; its directory is created. One that a dead server left is replaced. */
  socketPath: string;
  /** By path: "/runtime.v1.RuntimeService/Version". */
  methods: ReadonlyMap<string, GrpcMethod>;
  clock: Clock;
  logger: Logger;
}

const MESSAGE_MAX_BYTES = 16 * 1024 * 1024;
const PREFIX_BYTES = 5;
/** Longest delay of a timer; later deadlines count as none. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const CONTENT_TYPE = "application/grpc";

/**
 * Serves gRPC without TLS: unary calls and streams of answers. @throws Error EADDRINUSE when a
 * server answers on the socket already
 */
export async function startGrpcServer(options: GrpcServerOptions): Promise<AsyncDisposable> {
  const { socketPath, logger } = options;
  mkdirSync(path.dirname(socketPath), { recursive: true, mode: 0o711 });
  if (!(await isServed(socketPath))) rmSync(socketPath, { force: true });
  const sessions = new Set<ServerHttp2Session>();
  const http = createHttp2Server();
  http.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", (error) => logger.debug("a connection broke", { error: String(error) }));
  });
  http.on("stream", (stream, headers) => {
    stream.on("error", () => {}); // the caller left
    void answerStream(options, { stream, headers });
  });
  const server = createServer((socket) => accept(http, { socket, logger }));
  await listen(server, socketPath);
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

function isServed(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socketPath);
    const answer = (served: boolean) => {
      probe.destroy();
      resolve(served);
    };
    probe.once("connect", () => answer(true));
    probe.once("error", () => answer(false));
  });
}

async function listen(server: Server, socketPath: string): Promise<void> {
  server.listen({ path: socketPath, backlog: 128 });
  await once(server, "listening"); // rejects on "error"
}

function accept(http: Http2Server, { socket, logger }: { socket: Socket; logger: Logger }): void {
  const filter = new AuthorityFilter();
  const readable = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        for (const part of filter.push(chunk)) this.push(part);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  const connection = Duplex.from({ readable, writable: socket });
  connection.on("error", (error) => {
    logger.debug("a connection broke", { error: String(error) });
    socket.destroy();
  });
  socket.on("error", () => connection.destroy());
  socket.once("close", () => connection.destroy());
  connection.once("close", () => socket.destroy());
  socket.pipe(readable);
  http.emit("connection", connection);
}

interface Exchange {
  stream: ServerHttp2Stream;
  headers: IncomingHttpHeaders;
}

async function answerStream(
  { methods, clock, logger }: GrpcServerOptions,
  { stream, headers }: Exchange,
): Promise<void> {
  if (!headers["content-type"]?.startsWith(CONTENT_TYPE)) {
    stream.respond({ ":status": 415 }, { endStream: true });
    return;
  }
  const abort = new AbortController();
  stream.once("close", () => abort.abort());
  const name = headers[":path"] ?? "";
  try {
    const method = methods.get(name);
    if (!method) throw new GrpcError("unimplemented", `the method ${name} is not served here`);
    const timeoutMs = parseGrpcTimeout(headers["grpc-timeout"] as string | undefined);
    const expired = new Promise<never>((_, reject) => {
      if (timeoutMs === undefined || timeoutMs > TIMER_MAX_MS) return;
      const late = new GrpcError("deadline-exceeded", `${name} took longer than ${timeoutMs} ms`);
      const timer = clock.setTimer(timeoutMs, () => reject(late));
      abort.signal.addEventListener("abort", () => timer.cancel());
    });
    expired.catch(() => {});
    const request = await Promise.race([readRequest(stream, headers), expired]);
    if (method.streams) await sendAll(stream, method.answer(request, abort), expired);
    else send(stream, await Promise.race([method.answer(request, abort), expired]));
    if (!stream.destroyed) stream.end();
  } catch (error) {
    abort.abort();
    refuse(stream, error, { name, logger });
  }
}

/** The only message of the call. */
async function readRequest(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > MESSAGE_MAX_BYTES + PREFIX_BYTES) {
      throw new GrpcError("resource-exhausted", `a request may have ${MESSAGE_MAX_BYTES} bytes`);
    }
    parts.push(part);
  }
  const bytes = Buffer.concat(parts);
  if (bytes.length < PREFIX_BYTES || bytes.readUInt32BE(1) !== bytes.length - PREFIX_BYTES) {
    throw new GrpcError("internal", "the call does not carry exactly one whole message");
  }
  if (bytes[0] !== 0) {
    const encoding = String(headers["grpc-encoding"] ?? "unknown");
    throw new GrpcError("unimplemented", `messages compressed by ${encoding} are not understood`);
  }
  return bytes.subarray(PREFIX_BYTES);
}

/** Starts the answer, whose trailers say that all went well. */
function begin(stream: ServerHttp2Stream): void {
  if (stream.headersSent) return;
  stream.respond({ ":status": 200, "content-type": CONTENT_TYPE }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": `${GRPC_CODES.ok}` }));
}

/** False when the stream wants to be drained first. */
function send(stream: ServerHttp2Stream, message: Uint8Array): boolean {
  if (stream.destroyed) return true;
  begin(stream);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.byteLength, 1);
  return stream.write(Buffer.concat([prefix, message]));
}

async function sendAll(
  stream: ServerHttp2Stream,
  messages: AsyncIterable<Uint8Array>,
  expired: Promise<never>,
): Promise<void> {
  begin(stream);
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), expired]);
      if (next.done || stream.destroyed) return;
      if (!send(stream, next.value)) await Promise.race([once(stream, "drain"), expired]);
    }
  } finally {
    void iterator.return?.();
  }
}

function refuse(
  stream: ServerHttp2Stream,
  error: unknown,
  { name, logger }: { name: string; logger: Logger },
): void {
  const known = error instanceof GrpcError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (!known) logger.warn("a call failed", { method: name, error });
  if (stream.destroyed) return;
  const trailers = {
    "grpc-status": `${GRPC_CODES[known?.code ?? "unknown"]}`,
    "grpc-message": encodeGrpcMessage(message),
  };
  if (!stream.headersSent) {
    const head = { ":status": 200, "content-type": CONTENT_TYPE, ...trailers };
    return stream.respond(head, { endStream: true });
  }
  stream.removeAllListeners("wantTrailers");
  stream.once("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end();
}
