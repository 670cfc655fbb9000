import { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { StatusError } from "../../api/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import type { StreamBackend } from "./contract.ts";
import { destroyWhenIdle } from "./idle-watch.ts";
import { type AskAccess, attributesOf, callerOf } from "./node-access.ts";
import { answerRequest } from "./plain-requests.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { parseStreamRequest } from "./stream-request.ts";
import { serveUpgrade } from "./upgrades.ts";

/** Where to listen and whom to trust; PEM texts. */
export interface StreamServerOptions {
  host: string;
  /** Preferred; a free one is taken when it is in use. */
  port: number;
  tls: { cert: string; key: string; clientCa: string };
  /** Asked about everybody but the API server; without it nobody else is let in. */
  askAccess?: AskAccess;
  clock: Clock;
  logger: Logger;
  /** Streams over which nothing goes are closed after this; four hours by default. */
  idleMs?: number;
}

const IDLE_MS = 4 * 3_600_000;

/** The HTTPS endpoint of the node: what a kubelet offers to the API server. */
export interface StreamServer extends AsyncDisposable {
  readonly port: number;
  /** Until this is called, every request is refused with 503. */
  serve(backend: StreamBackend): void;
  /** What was asked for, and for how long its certificate holds; for `/metrics`. */
  metrics(): MetricFamily[];
}

/** Group and user whose client certificates are let in. */
const PRIVILEGED_GROUP = "system:masters";
const API_SERVER = "kube-apiserver-kubelet-client";

/** Opens the endpoint for the API server, and for those whom the API server lets use it. */
export async function startStreamServer(options: StreamServerOptions): Promise<StreamServer> {
  const { tls, clock, logger, askAccess, idleMs = IDLE_MS } = options;
  let backend: StreamBackend | undefined;
  const server = createServer({
    // A client may end its input and still want the output.
    allowHalfOpen: true,
    cert: tls.cert,
    key: tls.key,
    ca: tls.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
  });
  server.requestTimeout = 0;
  const upgraded = new Set<Duplex>();
  const metrics = new RequestMetrics(clock);
  const expiryMs = Date.parse(new X509Certificate(tls.cert).validTo);

  const requireBackend = async (request: IncomingMessage): Promise<StreamBackend> => {
    if (!isApiServer(request.socket as TLSSocket)) await admit(request, askAccess);
    if (backend) return backend;
    throw new StatusError("ServiceUnavailable", "the node agent is still starting");
  };
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    response.once("close", metrics.begin(request));
    const answer = async () =>
      answerRequest(await requireBackend(request), { request, response, clock });
    answer().catch((error: unknown) => refuse(response, error, logger));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.once("close", metrics.begin(request));
    socket.once("close", () => upgraded.delete(socket));
    socket.on("error", () => socket.destroy());
    const answer = async () => {
      const target = parseStreamRequest(request);
      const ready = await requireBackend(request);
      destroyWhenIdle(socket, { clock, idleMs });
      await serveUpgrade(ready, target, { request, socket, head, clock, logger });
    };
    answer().catch((error: unknown) => refuseUpgrade(socket, error, logger));
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    serve(ready) {
      backend = ready;
    },
    metrics: () => [...metrics.families(), certificateLife((expiryMs - clock.now()) / 1000)],
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of upgraded) socket.destroy();
      server.closeAllConnections();
      await closed;
    },
  };
}

function certificateLife(seconds: number): MetricFamily {
  return {
    name: "kubelet_certificate_manager_server_ttl_seconds",
    type: "gauge",
    help: "How long the certificate of the node's endpoint holds.",
    samples: [{ value: Math.floor(seconds) }],
  };
}

/** The API server itself, or whoever may do all that it may. Nobody has to be asked about them. */
function isApiServer(socket: TLSSocket): boolean {
  if (!socket.authorized) return false;
  const { CN, O } = socket.getPeerCertificate().subject;
  const groups: readonly unknown[] = Array.isArray(O) ? O : [O];
  return CN === API_SERVER || groups.includes(PRIVILEGED_GROUP);
}

/** @throws StatusError Unauthorized without credentials, Forbidden for those who may not */
async function admit(request: IncomingMessage, askAccess: AskAccess | undefined): Promise<void> {
  const caller = callerOf(request);
  if (!caller.clientCertificate && caller.authorization === undefined) {
    throw new StatusError("Unauthorized", "Unauthorized");
  }
  if (askAccess) return await askAccess(caller, attributesOf(request));
  throw new StatusError("Forbidden", "only the API server may use the node's endpoint");
}

async function listen(server: Server, { host, port }: StreamServerOptions): Promise<void> {
  const attempt = (wanted: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(wanted, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
  try {
    await attempt(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    await attempt(0);
  }
}

function asStatus(error: unknown, logger: Logger): StatusError {
  if (error instanceof StatusError) return error;
  logger.warn("a request to the node failed", { error });
  return new StatusError("InternalError", (error as Error).message);
}

function refuse(response: ServerResponse, error: unknown, logger: Logger): void {
  const { status, code } = asStatus(error, logger);
  if (response.headersSent) return void response.destroy();
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(status));
}

/** Answers a connection that asked for a stream, and ends it. */
export function refuseUpgrade(socket: Duplex, error: unknown, logger: Logger): void {
  const { status, code } = asStatus(error, logger);
  const body = JSON.stringify(status);
  socket.end(
    `HTTP/1.1 ${code} ${status.reason ?? "Error"}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
