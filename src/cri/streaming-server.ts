import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { StatusError } from "../api/errors.ts";
import type { SessionBackend } from "../agent/stream/contract.ts";
import { destroyWhenIdle } from "../agent/stream/idle-watch.ts";
import { refuseUpgrade } from "../agent/stream/stream-server.ts";
import type { StreamRequest } from "../agent/stream/stream-request.ts";
import { serveSession } from "../agent/stream/upgrades.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";

/** Serves the streams that were asked for, each once, under a URL that cannot be guessed. */
export interface StreamingServer extends AsyncDisposable {
  /** URL under which the stream can be had within a minute. @throws GrpcError when many wait */
  offer(request: StreamRequest): string;
}

/** What the server needs. */
export interface StreamingServerOptions {
  /** Who asks, a kubelet, is on this machine. */
  host: string;
  backend: SessionBackend;
  clock: Clock;
  random: Random;
  logger: Logger;
}

const OFFER_MS = 60_000;
const OFFERS_MAX = 1000;
const IDLE_MS = 4 * 3_600_000;
const TOKEN_BYTES = 16;

/** Listens on a free port. */
export async function startStreamingServer(
  options: StreamingServerOptions,
): Promise<StreamingServer> {
  const { host, backend, clock, random, logger } = options;
  const offers = new Map<string, { request: StreamRequest; timer: Timer }>();
  const take = (url: string | undefined): StreamRequest => {
    const [, verb, token = ""] = (url ?? "").split(/[/?]/);
    const offer = offers.get(token);
    if (!offer || offer.request.verb.toLowerCase() !== verb) {
      throw new StatusError("NotFound", "this stream was not offered, or its time is over");
    }
    offers.delete(token);
    offer.timer.cancel();
    return offer.request;
  };
  const server = createServer((request, response) => {
    response.writeHead(400, { "content-type": "text/plain", connection: "close" });
    response.end(`${request.method} needs an upgrade to SPDY/3.1 or WebSocket\n`);
  });
  server.requestTimeout = 0;
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    socket.on("error", () => socket.destroy());
    const answer = async () => {
      const wanted = take(request.url);
      destroyWhenIdle(socket, { clock, idleMs: IDLE_MS });
      await serveSession(backend, wanted, { request, socket, head, clock, logger });
    };
    answer().catch((error: unknown) => refuseUpgrade(socket, error, logger));
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    offer(request) {
      if (offers.size >= OFFERS_MAX) {
        throw new GrpcError("resource-exhausted", "too many streams were asked for and not used");
      }
      const token = Buffer.from(random.bytes(TOKEN_BYTES)).toString("hex");
      const timer = clock.setTimer(OFFER_MS, () => offers.delete(token));
      offers.set(token, { request, timer });
      return `http://${host}:${port}/${request.verb.toLowerCase()}/${token}`;
    },
    async [Symbol.asyncDispose]() {
      for (const { timer } of offers.values()) timer.cancel();
      const closed = once(server, "close");
      server.close();
      for (const socket of upgraded) socket.destroy();
      server.closeAllConnections();
      await closed;
    },
  };
}
