import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { rootCertificates } from "node:tls";
import { CONNECT_MS, reasonOf, watchConnection } from "./connection-watch.ts";
import type { ProxyRules, ProxyServer } from "./proxy-rules.ts";
import { nameOf, openTunnel, refusal, serverOf } from "./proxy-tunnel.ts";
import type { EndpointTls } from "./registries-file.ts";
import { RegistryError } from "./registry-error.ts";

/** A request without a body, or with a form. */
export interface RegistryRequest {
  method: "GET" | "HEAD" | "POST";
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: string;
  signal?: AbortSignal | undefined;
}

/** Sends requests to one server, and to those that it points to. */
export interface RegistryTransport extends Disposable {
  /**
   * Resolves with the head of the answer; the caller reads or destroys its body.
   * @throws RegistryError "unreached" without a connection, "unavailable" when it breaks
   */
  send(request: RegistryRequest): Promise<http.IncomingMessage>;
}

/** What a transport needs; the limit and the lookup differ only in tests. */
export interface RegistryTransportOptions {
  tls: EndpointTls;
  proxies: ProxyRules;
  connectMs?: number;
  lookup?: LookupFunction;
}

/** Nothing came for so long: the connection is given up. */
const SILENCE_MS = 30_000;
/** Before the next address of a name is tried too; Node.js gives up the first after 250 ms. */
const ADDRESS_MS = 2_000;
const SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

/** Connections are kept until the transport is disposed. */
export function createRegistryTransport(options: RegistryTransportOptions): RegistryTransport {
  const { proxies, connectMs = CONNECT_MS } = options;
  const agents = createAgents(options);

  /** Where to send it: to the server, through a tunnel, or whole to a proxy. */
  const open = ({ method, url, headers, signal }: RegistryRequest, proxy?: ProxyServer) => {
    const sent = {
      method,
      headers: { "user-agent": "nephos", ...headers },
      timeout: connectMs,
    };
    const options = { ...sent, ...(signal && { signal }) };
    if (url.protocol === "https:") {
      return https.request(url, { ...options, agent: agents.secure(proxy) });
    }
    if (!proxy) return http.request(url, { ...options, agent: agents.plain });
    const proof = proxy.authorization && { "proxy-authorization": proxy.authorization };
    const passed = {
      ...options,
      ...serverOf(proxy.url),
      path: `${url.origin}${url.pathname}${url.search}`,
      headers: { ...sent.headers, host: url.host, ...proof },
    };
    if (proxy.url.protocol === "http:") return http.request({ ...passed, agent: agents.plain });
    return https.request({ ...passed, agent: agents.proxy() });
  };

  return {
    send(sent) {
      return new Promise((resolve, reject) => {
        const { url, body, signal } = sent;
        const proxy = proxies.proxyFor(url);
        const request = open(sent, proxy);
        const watch = watchConnection(request, { connectMs, silenceMs: SILENCE_MS });
        request.on("error", (cause: NodeJS.ErrnoException) => {
          if (signal?.aborted || cause instanceof RegistryError) return reject(cause);
          const way = proxy ? ` through ${nameOf(proxy)}` : "";
          const message = `registry ${url.host} was not reached${way}: ${reasonOf(cause)}`;
          const code = watch.isConnected ? "unavailable" : "unreached";
          reject(new RegistryError(code, message, { cause }));
        });
        request.on("response", (answer) => {
          if (!proxy || answer.statusCode !== 407) return resolve(answer);
          answer.destroy();
          reject(refusal(proxy, url.host, 407));
        });
        request.end(body);
      });
    },
    [Symbol.dispose]: () => agents[Symbol.dispose](),
  };
}

interface Agents extends Disposable {
  plain: http.Agent;
  /** To servers with TLS, directly or through tunnels. */
  secure(proxy: ProxyServer | undefined): https.Agent;
  /** To a proxy that speaks TLS itself. */
  proxy(): https.Agent;
}

function createAgents({ tls, lookup, connectMs = CONNECT_MS }: RegistryTransportOptions): Agents {
  const closed = new AbortController();
  const made = new Map<string, http.Agent>();
  const connection = {
    keepAlive: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_MS,
    ...(lookup && { lookup }),
  };
  const once = <T extends http.Agent>(name: string, make: () => T): T => {
    const agent = (made.get(name) as T | undefined) ?? make();
    made.set(name, agent);
    return agent;
  };
  const registry = () =>
    new https.Agent({
      ...connection,
      ca: trustedCertificates(tls.ca),
      rejectUnauthorized: !tls.isUnverified,
      ...(tls.cert && { cert: tls.cert }),
      ...(tls.key && { key: tls.key }),
    });
  const through = (proxy: ProxyServer): https.Agent => {
    const agent = registry();
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (options, callback) => {
      const target = `${options.host}:${options.port ?? 443}`;
      const ca = trustedCertificates(tls.ca);
      openTunnel({ proxy, target, connectMs, ca, signal: closed.signal })
        .then((socket) => connect({ ...options, socket } as https.RequestOptions))
        .then(
          (secure) => secure && callback?.(null, secure),
          (error: Error) => callback?.(error, undefined as never),
        );
      return undefined;
    };
    return agent;
  };
  return {
    plain: once("plain", () => new http.Agent(connection)),
    secure: (proxy) =>
      proxy ? once(proxy.url.href, () => through(proxy)) : once("secure", registry),
    proxy: () =>
      once("proxy", () => new https.Agent({ ...connection, ca: trustedCertificates(tls.ca) })),
    [Symbol.dispose]() {
      closed.abort();
      for (const agent of made.values()) agent.destroy();
    },
  };
}

/** Those of Node.js, of the machine, and the one that was configured. */
function trustedCertificates(configured: string | undefined): string[] {
  const trusted = [...rootCertificates];
  try {
    trusted.push(readFileSync(SYSTEM_CERTIFICATES, "utf8"));
  } catch {
    // A machine may have none.
  }
  if (configured) trusted.push(configured);
  return trusted;
}
