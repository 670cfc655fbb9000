import { type IncomingMessage, ServerResponse } from "node:http";
import { type Duplex, pipeline } from "node:stream";
import { type ClientExchange, http1Exchange } from "./client-exchange.ts";
import { type Forwarder, refuse } from "./forwarder.ts";
import { answerHeaders, requestHeaders } from "./headers.ts";
import type { Endpoint } from "./upstream.ts";

/** A connection whose client asks to speak something else on it. */
export interface UpgradeRequest {
  request: IncomingMessage;
  socket: Duplex;
  /** What the client already sent in the new protocol. */
  head: Buffer;
}

/** A response on a connection that the server has given away; the connection ends with it. */
export function responseOn({ request, socket }: UpgradeRequest): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Parameters<typeof response.assignSocket>[0]);
  response.once("finish", () => socket.end());
  return response;
}

/**
 * Asks an endpoint to change protocols, and joins both connections when it does. When it does not,
 * its answer goes to the client like any other.
 */
export async function forwardUpgrade(
  forwarder: Forwarder,
  upgrade: UpgradeRequest,
  options: {
    /** Endpoints to ask; `undefined` when the exchange is answered already. */
    endpointsFor(exchange: ClientExchange): readonly Endpoint[] | undefined;
    answerMs: number;
    idleMs: number;
  },
): Promise<void> {
  const { request, socket, head } = upgrade;
  const response = responseOn(upgrade);
  const exchange = http1Exchange(request, response);
  socket.on("error", () => {}); // "close" follows
  if (!exchange || exchange.body) return void response.writeHead(400).end();
  const endpoints = options.endpointsFor(exchange);
  if (!endpoints) return;
  const { method, target, client } = exchange;
  const headers = requestHeaders(exchange.headers, client);
  headers.push("Connection", "Upgrade", "Upgrade", request.headers.upgrade ?? "");
  const asked = { method, target, headers, hasBody: false };
  const outgoing = await forwarder.openUpgrade(endpoints, asked);
  if (!outgoing) return refuse(exchange, endpoints.length > 0 ? 502 : 503);
  if (socket.destroyed) return void outgoing.destroy();
  socket.once("close", () => outgoing.destroy());
  let isSilent = false;
  outgoing.setTimeout(options.answerMs, () => {
    isSilent = true;
    outgoing.destroy();
  });
  outgoing.on("error", () => {});
  outgoing.once("close", () => {
    if (!exchange.hasAnswered && !socket.destroyed) refuse(exchange, isSilent ? 504 : 502);
  });
  outgoing.once("response", (answer) => {
    exchange.answer({
      status: answer.statusCode ?? 502,
      headers: answerHeaders(answer.rawHeaders),
      ends: false,
    });
    pipeline(answer, response, () => {});
  });
  outgoing.once("upgrade", (answer, upstream, early) => {
    outgoing.removeAllListeners("close");
    response.detachSocket(socket as Parameters<typeof response.detachSocket>[0]);
    upstream.setTimeout(options.idleMs, () => upstream.destroy());
    socket.write(switchingHead(answer));
    if (early.length > 0) socket.write(early);
    if (head.length > 0) upstream.write(head);
    pipeline(socket, upstream, () => {});
    pipeline(upstream, socket, () => {});
  });
  outgoing.end();
}

function switchingHead({ rawHeaders, headers }: IncomingMessage): string {
  const kept = answerHeaders(rawHeaders);
  kept.push("Connection", "Upgrade", "Upgrade", headers.upgrade ?? "");
  let text = "HTTP/1.1 101 Switching Protocols\r\n";
  for (let at = 0; at < kept.length; at += 2) text += `${kept[at]}: ${kept[at + 1]}\r\n`;
  return `${text}\r\n`;
}
