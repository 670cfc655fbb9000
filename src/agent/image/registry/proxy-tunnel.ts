import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { reasonOf, watchConnection } from "./connection-watch.ts";
import type { ProxyServer } from "./proxy-rules.ts";
import { RegistryError } from "./registry-error.ts";

/** A connection that is wanted. */
export interface TunnelRequest {
  proxy: ProxyServer;
  /** "registry.example:443". */
  target: string;
  connectMs: number;
  /** Certificates of authorities that a proxy with TLS may have. */
  ca: string[];
  signal: AbortSignal;
}

/** Until the proxy has a connection of its own. */
const TUNNEL_MS = 15_000;

/** A connection to `target` through the proxy. @throws RegistryError Source: RFC 9110, CONNECT */
export function openTunnel(wanted: TunnelRequest): Promise<Socket> {
  const { proxy, target, connectMs, ca, signal } = wanted;
  const { promise, resolve, reject } = promiseOf<Socket>();
  const headers = {
    host: target,
    "user-agent": "nephos",
    ...(proxy.authorization && { "proxy-authorization": proxy.authorization }),
  };
  const options = {
    method: "CONNECT",
    path: target,
    headers,
    agent: false as const,
    signal,
    timeout: connectMs,
  };
  const { url } = proxy;
  const request =
    url.protocol === "https:"
      ? https.request({ ...options, ...serverOf(url), ca })
      : http.request({ ...options, ...serverOf(url) });
  const watch = watchConnection(request, { connectMs, silenceMs: TUNNEL_MS });
  request.on("connect", (answer, socket: Socket, head) => {
    socket.setTimeout(0);
    if (answer.statusCode === 200 && head.length === 0) return resolve(socket);
    socket.destroy();
    reject(refusal(proxy, target, answer.statusCode));
  });
  request.on("error", (cause) => {
    const message = `${nameOf(proxy)} was not reached: ${reasonOf(cause)}`;
    reject(new RegistryError(watch.isConnected ? "unavailable" : "unreached", message, { cause }));
  });
  request.end();
  return promise;
}

/** For messages; without its password. */
export function nameOf({ url, variable }: ProxyServer): string {
  return `proxy ${url.origin} of ${variable}`;
}

/** What a proxy says of itself. */
export function refusal(proxy: ProxyServer, target: string, status = 0): RegistryError {
  if (status === 407) {
    const hint = proxy.authorization ? "refuses the user and password of" : "wants a user in";
    return new RegistryError("unauthorized", `${nameOf(proxy)} ${hint} its address (407)`);
  }
  const code = status >= 500 ? "unavailable" : "malformed";
  return new RegistryError(code, `${nameOf(proxy)} answers ${status} for ${target}`);
}

/** Host and port, as the modules for requests want them. */
export function serverOf({ protocol, hostname, port }: URL): { host: string; port: number } {
  const host = hostname.replace(/^\[|\]$/g, "");
  return { host, port: Number(port) || (protocol === "https:" ? 443 : 80) };
}

function promiseOf<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((take, refuse) => {
    resolve = take;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
