import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { rootCertificates } from "node:tls";
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
  connectMs?: number;
  lookup?: LookupFunction;
}

/** Nothing came for so long: the connection is given up. */
const SILENCE_MS = 30_000;
/** For the lookup of the name and the connection: a machine without a network is told soon. */
const CONNECT_MS = 5_000;
/** Before the next address of a name is tried too; Node.js gives up the first after 250 ms. */
const ADDRESS_MS = 2_000;
const SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

/** Connections are kept until the transport is disposed. */
export function createRegistryTransport(options: RegistryTransportOptions): RegistryTransport {
  const { tls, connectMs = CONNECT_MS, lookup } = options;
  const connection = {
    keepAlive: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_MS,
    ...(lookup && { lookup }),
  };
  const plain = new http.Agent(connection);
  let secure: https.Agent | undefined;
  const secureAgent = () => {
    secure ??= new https.Agent({
      ...connection,
      ca: trustedCertificates(tls.ca),
      rejectUnauthorized: !tls.isUnverified,
      ...(tls.cert && { cert: tls.cert }),
      ...(tls.key && { key: tls.key }),
    });
    return secure;
  };
  return {
    send({ method, url, headers, body, signal }) {
      return new Promise((resolve, reject) => {
        const isSecure = url.protocol === "https:";
        const options = {
          method,
          headers: { "user-agent": "nephos", ...headers },
          timeout: connectMs,
          ...(signal && { signal }),
        };
        const request = isSecure
          ? https.request(url, { ...options, agent: secureAgent() })
          : http.request(url, { ...options, agent: plain });
        let isConnected = false;
        let isLookedUp = isIP(url.hostname.replace(/^\[|\]$/g, "")) > 0;
        request.on("socket", (socket) => {
          const connected = () => {
            isConnected = true;
            socket.setTimeout(SILENCE_MS);
          };
          socket.once("lookup", () => (isLookedUp = true));
          if (socket.connecting) socket.once("connect", connected);
          else if (!socket.destroyed) connected();
        });
        request.on("timeout", () => {
          const unanswered = isConnected
            ? `no answer for ${SILENCE_MS} ms`
            : `no ${isLookedUp ? "connection" : "answer of a name server"} in ${connectMs} ms`;
          request.destroy(new Error(unanswered));
        });
        request.on("error", (cause: NodeJS.ErrnoException) => {
          if (signal?.aborted) return reject(cause);
          const message = `registry ${url.host} was not reached: ${reasonOf(cause)}`;
          reject(new RegistryError(isConnected ? "unavailable" : "unreached", message, { cause }));
        });
        request.on("response", resolve);
        request.end(body);
      });
    },
    [Symbol.dispose]() {
      plain.destroy();
      secure?.destroy();
    },
  };
}

/** Words for what a user can mend. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "EAI_AGAIN":
      return `no name server answers (${message})`;
    case "ENOTFOUND":
      return `its name is unknown (${message})`;
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return `this machine has no way to it (${message})`;
    default:
      return message || code || "connection failed";
  }
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
