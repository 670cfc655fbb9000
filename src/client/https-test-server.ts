import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { StatusError } from "../api/errors.ts";
import type { ApiRequest, Transport } from "../api/transport.ts";
import { encodeCertificate } from "../format/x509/certificate-codec.ts";
import { encodePem } from "../format/x509/pem-codec.ts";

/** Certificates for one test; everything is signed by one authority. */
export interface TestCertificates {
  caPem: string;
  server: { certPem: string; keyPem: string };
  client: { certPem: string; keyPem: string };
}

/** An authority with a server and a client certificate, good for 127.0.0.1. */
export function issueTestCertificates(nowMs: number): TestCertificates {
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issue = (name: string, publicKey: KeyObject, isAuthority: boolean) => {
    const fields = {
      serial: Buffer.from(`01${Buffer.from(name).toString("hex")}`, "hex"),
      subject: { commonName: name, organizations: [] },
      issuer: { commonName: "test authority", organizations: [] },
      notBeforeMs: nowMs - 3_600_000,
      notAfterMs: nowMs + 3_600_000,
      publicKey: publicKey.export({ type: "spki", format: "der" }),
      subjectKeyId: Buffer.from(name.padEnd(20).slice(0, 20)),
      authorityKeyId: Buffer.from("test authority".padEnd(20)),
      isAuthority,
      ...(isAuthority ? {} : { usages: ["server", "client"] as const, ipAddresses: ["127.0.0.1"] }),
    };
    const signed = encodeCertificate(fields, (tbs) => sign("sha256", tbs, authority.privateKey));
    return encodePem("CERTIFICATE", signed);
  };
  const leaf = (name: string) => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const keyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    return { certPem: issue(name, publicKey, false), keyPem };
  };
  return {
    caPem: issue("test authority", authority.publicKey, true),
    server: leaf("server"),
    client: leaf("client"),
  };
}

/** Answers requests; the default serves `inner` like an API server would. */
export type TestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves a handler over TLS on a free port of 127.0.0.1. */
export async function serveTls(
  certificates: TestCertificates,
  handler: TestHandler,
): Promise<{ url: string; server: Server } & AsyncDisposable> {
  const { certPem, keyPem } = certificates.server;
  const server = createServer(
    {
      cert: certPem,
      key: keyPem,
      ca: certificates.caPem,
      requestCert: true,
      rejectUnauthorized: false,
    },
    handler,
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Serves a transport in the way an API server speaks HTTP. */
export function handlerOver(inner: Transport): TestHandler {
  return (request, response) => void serve(inner, request, response);
}

async function serve(
  inner: Transport,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const parts: Buffer[] = [];
    for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
    const text = Buffer.concat(parts).toString();
    const contentType = incoming.headers["content-type"];
    const request: ApiRequest = {
      method: incoming.method as ApiRequest["method"],
      path: incoming.url ?? "/",
      ...(text ? { body: JSON.parse(text) as object } : {}),
      ...(contentType ? { contentType } : {}),
    };
    if (/[?&]watch=1/.test(request.path)) return await serveWatch(inner, request, response);
    const { status, body } = await inner.request(request);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  } catch (error) {
    const refusal =
      error instanceof StatusError ? error : new StatusError("InternalError", `${error}`);
    response.writeHead(refusal.code, { "content-type": "application/json" });
    response.end(JSON.stringify(refusal.status));
  }
}

async function serveWatch(
  inner: Transport,
  request: ApiRequest,
  response: ServerResponse,
): Promise<void> {
  const accept = () => {
    if (!response.headersSent) response.writeHead(200, { "content-type": "application/json" });
  };
  const send = (type: string, object: unknown) => {
    accept();
    response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const gone = new Promise((closed) => response.on("close", closed));
  const watch = await inner.watch(request, {
    event: send,
    closed: (error) => {
      if (error instanceof StatusError) send("ERROR", error.status);
      response.end();
    },
  });
  accept();
  response.flushHeaders();
  await gone;
  watch[Symbol.dispose]();
}
