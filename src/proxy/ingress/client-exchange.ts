import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Readable, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import {
  type ClientFacts,
  fromHttp2Headers,
  type HeaderList,
  onlyHeader,
  toHttp2Headers,
} from "./headers.ts";

/** A request of a client and the way to answer it, whichever version of HTTP it speaks. */
export interface ClientExchange {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly headers: HeaderList;
  readonly client: ClientFacts;
  /** Absent when the request has no body. */
  readonly body: Readable | undefined;
  /** Where the answer's body goes, after `answer`. */
  readonly out: Writable;
  /** Sends the head; `ends` says that neither body nor trailers follow. */
  answer(head: { status: number; headers: HeaderList; ends: boolean }): void;
  /** Ends the answer's body. */
  finish(trailers: HeaderList): void;
  /** Breaks off what cannot be finished, so that the client does not take a part for the whole. */
  cut(): void;
  readonly hasAnswered: boolean;
  /** Called once when the client is gone or was answered completely. */
  onClose(done: () => void): void;
}

/** Fails for a request that does not name one host. */
export function http1Exchange(
  request: IncomingMessage,
  response: ServerResponse,
): ClientExchange | undefined {
  const host = onlyHeader(request.rawHeaders, "host");
  if (!host) return undefined;
  const { headers, socket } = request;
  const hasBody =
    headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  return {
    method: request.method ?? "GET",
    target: request.url ?? "/",
    headers: request.rawHeaders,
    client: {
      host,
      address: socket.remoteAddress ?? "",
      port: socket.localPort ?? 0,
      scheme: (socket as TLSSocket).encrypted ? "https" : "http",
    },
    body: hasBody ? request : undefined,
    out: response,
    answer({ status, headers: list, ends }) {
      response.writeHead(status, [...list]);
      if (ends) response.end();
      else response.flushHeaders();
    },
    finish(trailers) {
      if (trailers.length > 0) response.addTrailers(pairsOf(trailers));
      response.end();
    },
    cut: () => socket.destroy(),
    get hasAnswered() {
      return response.headersSent;
    },
    onClose: (done) => void response.once("close", done),
  };
}

/** Fails for a request that does not name one host, or is no ordinary request. */
export function http2Exchange(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): ClientExchange | undefined {
  const list = fromHttp2Headers(headers);
  const { ":method": method = "", ":path": target, ":authority": authority } = headers;
  const host = authority ?? onlyHeader(list, "host");
  if (!host || !target || method === "CONNECT") return undefined;
  const socket = stream.session?.socket;
  let trailersToSend: HeaderList = [];
  stream.on("error", () => {}); // "close" follows, which somebody waits for
  if (stream.endAfterHeaders) stream.resume();
  return {
    method,
    target,
    headers: list,
    client: {
      host,
      address: socket?.remoteAddress ?? "",
      port: socket?.localPort ?? 0,
      scheme: "https",
    },
    body: stream.endAfterHeaders ? undefined : stream,
    out: stream,
    answer({ status, headers: answered, ends }) {
      if (stream.destroyed || stream.closed) return;
      const head = { ...toHttp2Headers(answered), ":status": status };
      stream.respond(head, ends ? { endStream: true } : { waitForTrailers: true });
      if (ends) return;
      stream.once("wantTrailers", () => {
        stream.sendTrailers(toHttp2Headers(trailersToSend));
        // Whoever was answered early need not send the rest.
        if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
      });
    },
    finish(trailers) {
      trailersToSend = trailers;
      stream.end();
    },
    cut: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    get hasAnswered() {
      return stream.headersSent;
    },
    onClose: (done) => void stream.once("close", done),
  };
}

function pairsOf(list: HeaderList): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < list.length; at += 2) pairs.push([list[at] ?? "", list[at + 1] ?? ""]);
  return pairs;
}
