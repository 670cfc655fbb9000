import type { IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";
import { StatusError } from "../../api/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { SessionBackend, StreamBackend } from "./contract.ts";
import { servePortForward } from "./port-forward.ts";
import { PORT_CHANNEL_PROTOCOLS, servePortChannels } from "./port-forward-channels.ts";
import { openSession, streamFlagsOf } from "./remote-command.ts";
import { SPDY_COMMAND_PROTOCOLS, serveSpdyCommand } from "./spdy-command.ts";
import { logOptionsOf, portsOf, type StreamRequest } from "./stream-request.ts";
import { COMMAND_PROTOCOLS, serveCommand } from "./websocket-command.ts";

const PORT_FORWARD_PROTOCOL = "portforward.k8s.io";
/** SPDY frames inside binary messages: what kubectl 1.31 and later try first. */
const TUNNEL_PROTOCOL = "SPDY/3.1+portforward.k8s.io";
const LOG_PROTOCOLS: readonly string[] = ["binary.k8s.io", "base64.binary.k8s.io"];
const MESSAGE_MAX_BYTES = 16 << 20;
const TUNNEL_BUFFER_BYTES = 64 << 10;

/** A connection that asks to become a stream. */
export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  clock: Clock;
  logger: Logger;
}

/** Turns the connection into the stream that it asks for. @throws StatusError before the switch */
export async function serveUpgrade(
  backend: StreamBackend,
  stream: StreamRequest,
  upgrade: Upgrade,
): Promise<void> {
  if (stream.verb !== "containerLogs") return await serveSession(backend, stream, upgrade);
  if (isWebSocket(upgrade)) return await serveLog(backend, stream, upgrade);
  throw refusal(stream, upgrade);
}

/** The same for exec, attach and port-forward alone. @throws StatusError before the switch */
export async function serveSession(
  backend: SessionBackend,
  stream: StreamRequest,
  upgrade: Upgrade,
): Promise<void> {
  if (isWebSocket(upgrade)) return await serveWebSocket(backend, stream, upgrade);
  if (protocolOf(upgrade) === "spdy/3.1") return await serveSpdy(backend, stream, upgrade);
  throw refusal(stream, upgrade);
}

function protocolOf({ request }: Upgrade): string {
  return request.headers.upgrade?.toLowerCase() ?? "";
}

function isWebSocket(upgrade: Upgrade): boolean {
  return protocolOf(upgrade) === "websocket";
}

function refusal({ verb }: StreamRequest, upgrade: Upgrade): StatusError {
  const message = `unable to upgrade: ${verb} over "${protocolOf(upgrade)}"`;
  return new StatusError("BadRequest", message);
}

async function serveWebSocket(
  backend: SessionBackend,
  stream: StreamRequest,
  upgrade: Upgrade,
): Promise<void> {
  const { request, clock, logger } = upgrade;
  const forward = { backend, pod: stream.target, clock, logger };
  if (stream.verb !== "portForward") {
    const protocol = choose(COMMAND_PROTOCOLS, offeredTo(request));
    const session = await openSession(backend, stream);
    const socket = await acceptWebSocket(upgrade, protocol).catch(async (error: unknown) => {
      // The command is running already: without a client it must not go on.
      await session[Symbol.asyncDispose]();
      throw error;
    });
    await serveCommand(socket, { session, clock });
  } else if (offeredTo(request).includes(TUNNEL_PROTOCOL)) {
    const socket = await acceptWebSocket(upgrade, TUNNEL_PROTOCOL);
    const tunnel = createWebSocketStream(socket, { highWaterMark: TUNNEL_BUFFER_BYTES });
    await servePortForward(tunnel, forward);
  } else {
    const ports = portsOf(stream.query);
    const protocol = choose(PORT_CHANNEL_PROTOCOLS, offeredTo(request));
    servePortChannels(await acceptWebSocket(upgrade, protocol), { ...forward, ports, protocol });
  }
}

async function serveSpdy(
  backend: SessionBackend,
  stream: StreamRequest,
  { request, socket, head, clock, logger }: Upgrade,
): Promise<void> {
  const offered = listOf(request.headers["x-stream-protocol-version"]);
  if (stream.verb === "portForward") {
    acceptSpdy({ socket, head }, choose([PORT_FORWARD_PROTOCOL], offered));
    return await servePortForward(socket, { backend, pod: stream.target, clock, logger });
  }
  const protocol = choose(SPDY_COMMAND_PROTOCOLS, offered);
  const session = await openSession(backend, stream);
  acceptSpdy({ socket, head }, protocol);
  const options = { streams: streamFlagsOf(stream), protocol, clock };
  // The switch is made: there is no way left to tell the client.
  await serveSpdyCommand(socket, session, options).catch((error: unknown) => {
    logger.debug("a stream ended early", { error: String(error) });
    socket.destroy();
  });
}

/** `kubectl logs` never asks so, but client libraries in browsers have nothing else. */
async function serveLog(
  backend: StreamBackend,
  { target, query }: StreamRequest,
  upgrade: Upgrade,
): Promise<void> {
  const protocol = choose(LOG_PROTOCOLS, offeredTo(upgrade.request));
  const gone = new AbortController();
  upgrade.socket.once("close", () => gone.abort());
  const log = await backend.logs(target, logOptionsOf(query, upgrade.clock.now()), gone.signal);
  const socket = await acceptWebSocket(upgrade, protocol);
  await sendLog(socket, log).then(
    () => socket.close(1000),
    () => socket.close(1011),
  );
}

async function sendLog(socket: WebSocket, log: Readable): Promise<void> {
  const asText = socket.protocol.startsWith("base64.");
  for await (const chunk of log) {
    if (socket.readyState !== socket.OPEN) return;
    const bytes = chunk as Buffer;
    await new Promise<void>((resolve) => {
      const message = asText ? bytes.toString("base64") : bytes;
      socket.send(message, { binary: !asText }, () => resolve());
    });
  }
}

function listOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  return text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
}

function offeredTo(request: IncomingMessage): string[] {
  return listOf(request.headers["sec-websocket-protocol"]);
}

/** The first of `supported` that the client offers; "" when it offers none. @throws StatusError */
function choose(supported: readonly string[], offered: readonly string[]): string {
  if (offered.length === 0) return "";
  const chosen = supported.find((protocol) => offered.includes(protocol));
  if (chosen !== undefined) return chosen;
  throw new StatusError(
    "Forbidden",
    `unable to negotiate a protocol: the client offers ${offered.join(", ")}, the server knows ${supported.join(", ")}`,
  );
}

/** Answers the handshake with the chosen subprotocol. @throws StatusError when it is none */
async function acceptWebSocket(
  { request, socket, head }: Upgrade,
  protocol: string,
): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: MESSAGE_MAX_BYTES,
    handleProtocols: () => protocol || false,
  });
  if (protocol === TUNNEL_PROTOCOL) {
    // Its slash is no token (RFC 9110), so that the library would refuse what kubectl sends.
    delete request.headers["sec-websocket-protocol"];
    server.on("headers", (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  }
  const left = new StatusError("BadRequest", "the client left before the handshake");
  if (socket.destroyed) throw left;
  return await new Promise((resolve, reject) => {
    socket.once("close", () => reject(left));
    server.once("wsClientError", ({ message }) => reject(new StatusError("BadRequest", message)));
    server.handleUpgrade(request, socket, head, (accepted) => {
      accepted.on("error", () => accepted.terminate());
      resolve(accepted);
    });
  });
}

/** Answers the handshake of SPDY; what the client sent with it stays readable. */
function acceptSpdy({ socket, head }: { socket: Duplex; head: Buffer }, protocol: string): void {
  const version = protocol ? `X-Stream-Protocol-Version: ${protocol}\r\n` : "";
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${version}\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
}
