import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { performServerHandshake, type ServerHttp2Session } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";
import { type ClientExchange, http1Exchange, http2Exchange } from "./client-exchange.ts";
import { createEndpointChoice } from "./endpoint-choice.ts";
import { createForwarder, type Forwarder, refuse } from "./forwarder.ts";
import { type Backend, matchablePath, type Route } from "./route-table.ts";
import { forwardUpgrade, responseOn, type UpgradeRequest } from "./upgrade.ts";
import type { Endpoint, UpstreamTimeouts } from "./upstream.ts";

/** What the server asks anew for each request: a change needs neither restart nor reload. */
export interface IngressSource {
  routeOf(host: string, path: string): Route | undefined;
  /** Those that may get requests now; empty when the Service or its port does not exist. */
  endpointsOf(backend: Backend): readonly Endpoint[];
  /** For the name that a client says; `undefined` when no Secret is for it. */
  certificateOf(serverName: string): SecureContext | undefined;
}

/** Where the server listens and what it serves. */
export interface IngressServerOptions {
  addresses: readonly string[];
  httpPort: number;
  httpsPort: number;
  source: IngressSource;
  /** For names without a certificate: nobody trusts it, but the handshake succeeds. */
  defaultCertificate: { certPem: string; keyPem: string };
  timeouts?: Partial<UpstreamTimeouts>;
  clock: Clock;
  random: Random;
  logger: Logger;
}

/** A running server. */
export interface IngressServer extends AsyncDisposable {
  readonly httpPort: number;
  readonly httpsPort: number;
}

const TIMEOUTS: UpstreamTimeouts = { connectMs: 3_000, answerMs: 60_000, idleMs: 3_600_000 };
const CONNECTIONS_MAX = 16_384;
const STREAMS_MAX = 256;
const HEADERS_MS = 20_000;
const KEEP_ALIVE_MS = 75_000;
/** Answers that still run when the server stops get so long. */
const DRAIN_MS = 10_000;

/** HTTP without request limits in time: an upload takes what it takes. */
const HTTP_OPTIONS = {
  headersTimeout: HEADERS_MS,
  requestTimeout: 0,
  keepAliveTimeout: KEEP_ALIVE_MS,
};

/**
 * Listens for HTTP/1.1, and for HTTP/1.1 and HTTP/2 by TLS, on every address.
 * @throws Error with the code EADDRINUSE when a port belongs to another program
 */
export async function startIngressServer(options: IngressServerOptions): Promise<IngressServer> {
  const { source, logger, clock } = options;
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const choice = createEndpointChoice(options);
  const forwarder = createForwarder({ choice, timeouts, logger });
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const handler = createHandler({ source, forwarder, timeouts, httpsPort: () => httpsPort });

  const stop = async () => {
    for (const session of sessions) session.close();
    const closed = servers.map(async (server) => {
      if (!server.listening) return;
      const over = once(server, "close");
      server.close();
      server.closeIdleConnections();
      await over;
    });
    const late = clock.setTimer(DRAIN_MS, () => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(closed);
    late.cancel();
    forwarder[Symbol.dispose]();
  };
  const listen = async (create: () => Server, port: number): Promise<number> => {
    let bound = port;
    for (const address of options.addresses) {
      const server = create();
      servers.push(server);
      server.maxConnections = CONNECTIONS_MAX;
      server.on("connection", (socket: Socket) => {
        sockets.add(socket);
        socket.setNoDelay(true);
        socket.once("close", () => sockets.delete(socket));
      });
      server.listen(bound, address);
      await once(server, "listening");
      bound = (server.address() as AddressInfo).port;
    }
    return bound;
  };

  let httpsPort = options.httpsPort;
  try {
    httpsPort = await listen(() => createSecured(handler, { ...options, sessions }), httpsPort);
    const httpPort = await listen(
      () => prepared(createServer(HTTP_OPTIONS), handler),
      options.httpPort,
    );
    return { httpPort, httpsPort, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Handler {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(upgrade: UpgradeRequest): void;
  exchange(exchange: ClientExchange): void;
}

function createHandler(of: {
  source: IngressSource;
  forwarder: Forwarder;
  timeouts: UpstreamTimeouts;
  httpsPort: () => number;
}): Handler {
  const { source, forwarder, timeouts } = of;
  /** Endpoints to ask; the exchange is answered already when there are none to be asked. */
  const endpointsFor = (exchange: ClientExchange): readonly Endpoint[] | undefined => {
    const path = matchablePath(exchange.target);
    const host = hostNameOf(exchange.client.host);
    const isWellFormed = exchange.target.startsWith("/") && path !== undefined;
    const route = isWellFormed ? source.routeOf(host, path) : undefined;
    if (route && !(route.wantsTls && exchange.client.scheme === "http")) {
      if (route.backend) return source.endpointsOf(route.backend);
      refuse(exchange, 501);
      return undefined;
    }
    if (route) redirect(exchange, { host, port: of.httpsPort() });
    else refuse(exchange, isWellFormed ? 404 : 400);
    return undefined;
  };
  const handle = (exchange: ClientExchange) => {
    const endpoints = endpointsFor(exchange);
    if (endpoints) void forwarder.forward(exchange, endpoints);
  };
  return {
    exchange: handle,
    request(request, response) {
      const exchange = http1Exchange(request, response);
      if (exchange) handle(exchange);
      else response.writeHead(400, { connection: "close" }).end();
    },
    upgrade(upgrade) {
      const { request } = upgrade;
      // Changing to HTTP/2 this way would let requests pass that nobody looked at.
      if (/\bh2c\b/i.test(request.headers.upgrade ?? "")) {
        return this.request(request, responseOn(upgrade));
      }
      void forwardUpgrade(forwarder, upgrade, { endpointsFor, ...timeouts });
    },
  };
}

/** "Example.test.:8080" names "example.test". */
function hostNameOf(host: string): string {
  return host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
}

function redirect(exchange: ClientExchange, to: { host: string; port: number }): void {
  const port = to.port === 443 ? "" : `:${to.port}`;
  const location = `https://${to.host}${port}${exchange.target}`;
  exchange.answer({
    status: 308,
    headers: ["location", location, "content-length", "0"],
    ends: true,
  });
  exchange.body?.resume();
}

function prepared(server: Server, handler: Handler): Server {
  server.on("request", (request, response) => handler.request(request, response));
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) =>
    handler.upgrade({ request, socket, head }),
  );
  return server;
}

/** One port for both versions: the handshake says which one the client speaks. */
function createSecured(
  handler: Handler,
  of: {
    source: IngressSource;
    sessions: Set<ServerHttp2Session>;
    defaultCertificate: IngressServerOptions["defaultCertificate"];
  },
): Server {
  const { source, sessions, defaultCertificate } = of;
  const server = createTlsServer({
    ...HTTP_OPTIONS,
    ALPNProtocols: ["h2", "http/1.1"],
    minVersion: "TLSv1.2",
    cert: defaultCertificate.certPem,
    key: defaultCertificate.keyPem,
    SNICallback: (name, done) => done(null, source.certificateOf(name.toLowerCase())),
  });
  const [serveHttp1] = server.listeners("secureConnection") as ((socket: TLSSocket) => void)[];
  server.removeAllListeners("secureConnection");
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol !== "h2") return serveHttp1?.call(server, socket);
    const session = performServerHandshake(socket, {
      settings: { maxConcurrentStreams: STREAMS_MAX },
    });
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => {});
    session.setTimeout(KEEP_ALIVE_MS, () => session.close());
    session.on("stream", (stream, headers) => {
      const exchange = http2Exchange(stream, headers);
      if (exchange) handler.exchange(exchange);
      else stream.respond({ ":status": 400 }, { endStream: true });
    });
  });
  return prepared(server, handler);
}
