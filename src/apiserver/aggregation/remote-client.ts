import type http from "node:http";
import https from "node:https";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { ObjectReader, UserInfo } from "../contract.ts";
import { type Address, resolveService } from "../remote/service-address.ts";
import type { RemoteGroupVersion } from "./api-service-table.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** With what this server proves to others that it speaks for its users; PEM. */
export interface FrontProxyPair {
  cert: string;
  key: string;
}

/** Makes requests to aggregated API servers. */
export interface RemoteClientParts {
  reader: ObjectReader;
  clock: Clock;
  random: Random;
  frontProxy: FrontProxyPair | undefined;
}

/** A request to make; its body is for the caller to write. */
export interface RemoteRequest {
  method: string;
  /** With query. */
  path: string;
  user: UserInfo;
  headers: Record<string, string | string[]>;
  signal?: AbortSignal | undefined;
}

/** Connections to aggregated API servers; disposing closes them. */
export class RemoteClient implements Disposable {
  readonly #parts: RemoteClientParts;
  /** By name of the APIService; another one when how to trust it changed. */
  readonly #agents = new Map<string, { trust: string; agent: https.Agent }>();

  constructor(parts: RemoteClientParts) {
    this.#parts = parts;
  }

  /** A request that is about to be sent. @throws NoEndpointError */
  open(remote: RemoteGroupVersion, of: RemoteRequest): http.ClientRequest {
    const { name, namespace } = remote.service;
    const address: Address = resolveService(remote.service, this.#parts);
    const serverName = `${name}.${namespace}.svc`;
    const { clock } = this.#parts;
    const request = https.request({
      ...address,
      method: of.method,
      path: of.path,
      agent: this.#agentFor(remote),
      servername: serverName,
      headers: { ...of.headers, ...identityHeaders(of.user), host: serverName },
      ...(of.signal ? { signal: of.signal } : {}),
    });
    // Only connecting is bounded here: watches and streams may rest for as long as they like.
    const timer = clock.setTimer(CONNECT_TIMEOUT_MS, () =>
      request.destroy(new Error(`dial tcp ${address.host}:${address.port}: i/o timeout`)),
    );
    const done = () => timer.cancel();
    request.once("socket", (socket) => {
      if (socket.connecting) socket.once("secureConnect", done);
      else done();
    });
    request.once("close", done);
    return request;
  }

  [Symbol.dispose](): void {
    for (const { agent } of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #agentFor({ name, caBundle, insecure }: RemoteGroupVersion): https.Agent {
    const trust = insecure ? "" : `ca:${caBundle}`;
    const known = this.#agents.get(name);
    if (known?.trust === trust) return known.agent;
    known?.agent.destroy();
    const { frontProxy } = this.#parts;
    const agent = new https.Agent({
      keepAlive: true,
      maxFreeSockets: 16,
      rejectUnauthorized: !insecure,
      ...frontProxy,
      ...(caBundle && !insecure ? { ca: Buffer.from(caBundle, "base64").toString() } : {}),
    });
    this.#agents.set(name, { trust, agent });
    return agent;
  }
}

/** The user as `requestheader` authentication of the other side reads it. */
export function identityHeaders(user: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "X-Remote-User": user.name };
  if (user.uid) headers["X-Remote-Uid"] = user.uid;
  if (user.groups.length > 0) headers["X-Remote-Group"] = [...user.groups];
  for (const [key, values] of Object.entries(user.extra ?? {})) {
    headers[`X-Remote-Extra-${escapeKey(key)}`] = [...values];
  }
  return headers;
}

/** Percent-encodes what may not stand in the name of a header. */
function escapeKey(key: string): string {
  return Array.from(Buffer.from(key), (byte) => {
    const char = String.fromCharCode(byte);
    if (/[a-z0-9!#$&'*+.^_`|~-]/i.test(char)) return char;
    return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}
