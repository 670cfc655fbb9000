import { once } from "node:events";
import { createServer as createPlainServer, type Server as PlainServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Credentials } from "../apiserver/contract.ts";
import { toStatusError } from "../apiserver/status-answer.ts";
import type { Logger } from "../lib/logger.ts";
import { CommandError } from "./command-error.ts";
import type { ComponentPages, PageAnswer } from "./component-pages.ts";
import type { DelegatedAccess } from "./delegated-access.ts";

/** Where to listen. */
interface Address {
  host: string;
  port: number;
}

/** How a secure port is opened; PEM texts. */
export interface SecurePortOptions {
  address: Address;
  tls: { certPem: string; keyPem: string };
  /** Who vouches for clients' certificates; without it none is asked for. */
  clientCaPem: string | undefined;
  access: DelegatedAccess;
  pages: ComponentPages;
  logger: Logger;
}

/** Answers over plain HTTP, to everybody who reaches the address. @throws CommandError */
export function startPlainPort(address: Address, pages: ComponentPages): Promise<AsyncDisposable> {
  const server = createPlainServer((request, response) => {
    const { method, path } = pageOf(request);
    void pages(method, path).then((answer) => send(response, answer));
  });
  return listen(server, address);
}

/** Answers over HTTPS, to whom an API server lets in. @throws CommandError */
export function startSecurePort(options: SecurePortOptions): Promise<AsyncDisposable> {
  const { tls, clientCaPem, access, pages, logger } = options;
  const server = createServer({
    cert: tls.certPem,
    key: tls.keyPem,
    ...(clientCaPem === undefined ? {} : { ca: clientCaPem, requestCert: true }),
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
  });
  const answer = async (request: IncomingMessage): Promise<PageAnswer> => {
    const { method, path } = pageOf(request);
    await access.admit({
      verb: method.toLowerCase(),
      path,
      credentials: credentialsOf(request, clientCaPem !== undefined),
    });
    return await pages(method, path);
  };
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    void answer(request)
      .catch((error: unknown): PageAnswer => {
        const { status } = toStatusError(error, logger);
        const text = JSON.stringify(status);
        return { status: status.code ?? 500, contentType: "application/json", text };
      })
      .then((told) => send(response, told));
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return listen(server, options.address);
}

function pageOf({ method = "", url = "/" }: IncomingMessage): { method: string; path: string } {
  return { method, path: url.split("?")[0] ?? "" };
}

function credentialsOf({ headers, socket }: IncomingMessage, asksForOne: boolean): Credentials {
  const { authorization } = headers;
  if (!asksForOne) return { authorization };
  const connection = socket as TLSSocket;
  const shown = connection.getPeerCertificate().raw as Uint8Array | undefined;
  return {
    authorization,
    clientCertificate: connection.authorized ? shown : undefined,
    isUntrusted: !connection.authorized && shown !== undefined,
  };
}

function send(response: ServerResponse, { status, contentType, text }: PageAnswer): void {
  response.writeHead(status, { "Content-Type": contentType }).end(text);
}

async function listen(
  server: Server | PlainServer,
  { host, port }: Address,
): Promise<AsyncDisposable> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CommandError(`Cannot tell metrics on ${host}:${port}: ${code}`, { cause });
  }
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
