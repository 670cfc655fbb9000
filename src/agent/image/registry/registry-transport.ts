import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
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
   * @throws RegistryError "unavailable"
   */
  send(request: RegistryRequest): Promise<http.IncomingMessage>;
}

/** Nothing came for so long: the connection is given up. */
const SILENCE_MS = 30_000;
const SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

/** Connections are kept until the transport is disposed. */
export function createRegistryTransport(tls: EndpointTls): RegistryTransport {
  const plain = new http.Agent({ keepAlive: true });
  let secure: https.Agent | undefined;
  const secureAgent = () => {
    secure ??= new https.Agent({
      keepAlive: true,
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
          timeout: SILENCE_MS,
          ...(signal && { signal }),
        };
        const request = isSecure
          ? https.request(url, { ...options, agent: secureAgent() })
          : http.request(url, { ...options, agent: plain });
        request.on("timeout", () => {
          request.destroy(new Error(`no answer for ${SILENCE_MS / 1000} s`));
        });
        request.on("error", (cause: NodeJS.ErrnoException) => {
          if (signal?.aborted) return reject(cause);
          const why = cause.message || cause.code || "connection failed";
          const message = `registry ${url.host} was not reached: ${why}`;
          reject(new RegistryError("unavailable", message, { cause }));
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
