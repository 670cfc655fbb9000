import { createServer, type Server } from "node:http";
import type { Service } from "../../api/generated/types/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import { backoffDelayMs } from "../../lib/backoff.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";

/** What balancers outside are told of one Service on this node. */
export interface ServiceHealth {
  port: number;
  namespace: string;
  name: string;
  /** Pods of this node that are ready to serve it. */
  localEndpoints: number;
}

const RETRY = { baseMs: 500, maxMs: 30_000 };
const REQUEST_MS = 5_000;
const CONNECTIONS_MAX = 64;

/** What a node tells of a Service; `undefined` when nobody is to ask. */
export function healthOf(
  { metadata, spec }: Service,
  slices: readonly EndpointSlice[],
  nodeName: string,
): ServiceHealth | undefined {
  const port = spec?.healthCheckNodePort;
  const isAsked = spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
  if (!port || !isAsked) return undefined;
  const local = new Set(
    slices
      .flatMap(({ endpoints }) => endpoints)
      .filter((endpoint) => endpoint.nodeName === nodeName && endpoint.conditions?.ready !== false)
      .map(({ addresses: [address] }) => address),
  );
  const { namespace = "", name = "" } = metadata ?? {};
  return { port, namespace, name, localEndpoints: local.size };
}

interface Served {
  health: ServiceHealth;
  server: Server | undefined;
  failures: number;
  retry: Timer | undefined;
}

/**
 * Answers at `spec.healthCheckNodePort` whether this node has pods for a Service: 200 when it has,
 * else 503, so that a balancer outside sends clients only where they are served.
 */
export class HealthServers implements AsyncDisposable {
  readonly #sources: { clock: Clock; logger: Logger; address: string };
  readonly #served = new Map<string, Served>();
  readonly #closing = new Set<Promise<void>>();

  constructor(sources: { clock: Clock; logger: Logger; address?: string }) {
    this.#sources = { address: "0.0.0.0", ...sources };
  }

  /** Says what is true of a Service from now on; without health nobody answers any more. */
  set(key: string, health: ServiceHealth | undefined): void {
    const known = this.#served.get(key);
    if (known && known.health.port === health?.port) {
      known.health = health;
      return;
    }
    if (known) this.#stop(key, known);
    if (!health) return;
    const served: Served = { health, server: undefined, failures: 0, retry: undefined };
    this.#served.set(key, served);
    this.#listen(served);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [key, served] of this.#served) this.#stop(key, served);
    await Promise.all(this.#closing);
  }

  #listen(served: Served): void {
    const { clock, logger, address } = this.#sources;
    const server = createServer({ requestTimeout: REQUEST_MS, keepAlive: false }, (_, response) => {
      const { namespace, name, localEndpoints } = served.health;
      const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true };
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        "content-type": "application/json",
        "x-content-type-options": "nosniff",
        "x-load-balancing-endpoint-weight": `${localEndpoints}`,
        connection: "close",
      });
      response.end(JSON.stringify(body));
    });
    server.maxConnections = CONNECTIONS_MAX;
    served.server = server;
    server.on("error", (error) => {
      const delayMs = backoffDelayMs(RETRY, ++served.failures);
      const { port, namespace, name } = served.health;
      logger.warn("health of a Service cannot be told", { port, namespace, name, error });
      served.retry = clock.setTimer(delayMs, () => this.#listen(served));
    });
    server.listen(served.health.port, address);
    server.unref();
  }

  #stop(key: string, { server, retry }: Served): void {
    this.#served.delete(key);
    retry?.cancel();
    if (!server?.listening) {
      // It may be about to listen, or about to fail.
      server?.removeAllListeners("error").on("error", () => {});
    }
    const closed = new Promise<void>((resolve) => {
      server?.close(() => resolve());
      if (!server) resolve();
    });
    server?.closeAllConnections();
    this.#closing.add(closed);
    void closed.then(() => this.#closing.delete(closed));
  }
}
