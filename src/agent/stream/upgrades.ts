import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { StatusError } from "../../api/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import type { StreamBackend } from "./contract.ts";
import { openSession } from "./remote-command.ts";
import type { StreamRequest } from "./stream-request.ts";
import { COMMAND_PROTOCOLS, serveCommand } from "./websocket-command.ts";

/** A connection that asks to become a stream. */
export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  logger: Logger;
}

/** Turns the connection into the stream that it asks for. @throws StatusError before the switch */
export async function serveUpgrade(
  backend: StreamBackend,
  stream: StreamRequest,
  upgrade: Upgrade,
): Promise<void> {
  const wanted = upgrade.request.headers.upgrade?.toLowerCase() ?? "";
  if (wanted === "websocket" && stream.verb !== "portForward") {
    const session = await openSession(backend, stream);
    const socket = await acceptWebSocket(upgrade, COMMAND_PROTOCOLS);
    await serveCommand(socket, session);
    return;
  }
  throw new StatusError("BadRequest", `unable to upgrade: ${stream.verb} over "${wanted}"`);
}

/** Answers the handshake with the best subprotocol that both sides know. */
async function acceptWebSocket(
  { request, socket, head }: Upgrade,
  protocols: readonly string[],
): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => protocols.find((name) => offered.has(name)) ?? false,
  });
  return await new Promise((resolve) => {
    server.handleUpgrade(request, socket, head, (accepted) => {
      accepted.on("error", () => accepted.terminate());
      resolve(accepted);
    });
  });
}
