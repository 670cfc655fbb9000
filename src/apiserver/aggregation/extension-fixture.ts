import assert from "node:assert/strict";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { seededRandom } from "../../lib/random.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";
import { createAuthority, generateKeyPem, publicKeyOf } from "../pki/certificate-authority.ts";

/** An API server of another's making, as tests run one. */
export interface Extension extends AsyncDisposable {
  port: number;
  caBundle: string;
  requests: { url: string; headers: IncomingHttpHeaders; authorized: boolean }[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
}

/** An API server of one group, which trusts the front proxy's authority. */
async function startExtension(
  frontProxyCa: string,
  { pageOf, nowMs }: { pageOf: (url: string) => object | undefined; nowMs: number },
): Promise<Extension> {
  const clock = { now: () => nowMs, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }) };
  const sources = { clock, random: seededRandom(8) };
  const authority = createAuthority("extension", { ...sources, keyPem: generateKeyPem() });
  const key = generateKeyPem();
  const cert = authority.issue({
    subject: { commonName: "extension", organizations: [] },
    usages: ["server"],
    dnsNames: ["api.default.svc"],
    lifetimeMs: 3_600_000,
    publicKey: publicKeyOf(key),
  });
  const extension: Omit<Extension, "port" | typeof Symbol.asyncDispose> = {
    caBundle: Buffer.from(authority.pem.certPem).toString("base64"),
    requests: [],
    answer: (request, response) => {
      response.setHeader("Content-Type", "application/json");
      const known = pageOf(request.url ?? "");
      response.writeHead(known ? 200 : 404).end(JSON.stringify(known ?? {}));
    },
  };
  const server = https.createServer(
    { cert, key, ca: frontProxyCa, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { authorized } = request.socket as unknown as { authorized: boolean };
      extension.requests.push({ url: request.url ?? "", headers: request.headers, authorized });
      extension.answer(request, response);
    },
  );
  server.on("upgrade", (request, socket) => {
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
    );
    socket.write(String(request.headers["x-remote-user"]));
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(extension, {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

/** Sockets take their time, but never this many turns of the event loop. */
const TURNS_MAX = 100_000;

/** Asks again and again until there is an answer. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await settle();
  }
  throw new assert.AssertionError({ message: "it never came true" });
}

/** A server of ours that trusts an extension, and the extension. */
export interface AggregatedWorld extends AsyncDisposable {
  api: HttpsFixture;
  extension: Extension;
}

/** Starts both with certificates of the time given; `pageOf` is what the extension answers. */
export async function startAggregated(
  pageOf: (url: string) => object | undefined,
  nowMs: number,
): Promise<AggregatedWorld> {
  const clock = { now: () => nowMs, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }) };
  const sources = { clock, random: seededRandom(9) };
  const ca = createAuthority("front-proxy", { ...sources, keyPem: generateKeyPem() });
  const key = generateKeyPem();
  const cert = ca.issue({
    subject: { commonName: "front-proxy-client", organizations: [] },
    usages: ["client"],
    lifetimeMs: 3_600_000,
    publicKey: publicKeyOf(key),
  });
  const extension = await startExtension(ca.pem.certPem, { pageOf, nowMs });
  const api = await startHttpsServer(nowMs, { aggregation: { frontProxy: { cert, key } } });
  await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  return {
    api,
    extension,
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await extension[Symbol.asyncDispose]();
    },
  };
}

/** Makes the Service `default/api` lead to the extension. */
export async function addService({ api, extension }: AggregatedWorld): Promise<void> {
  await api.ask("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "api" },
    spec: { ports: [{ port: 443, targetPort: extension.port }] },
  });
  await api.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
    metadata: { name: "api-1", labels: { "kubernetes.io/service-name": "api" } },
    // By its name this address of the test's own server may be an endpoint.
    addressType: "FQDN",
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
    ports: [{ port: extension.port }],
  });
}
