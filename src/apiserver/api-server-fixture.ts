import https from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import type { Transport } from "../api/transport.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import type { Store } from "../store/store.ts";
import { type ApiServer, type ApiServerOptions, createApiServer } from "./api-server.ts";
import type { UserInfo } from "./contract.ts";
import {
  type CertificateAuthority,
  createAuthority,
  generateKeyPem,
  type KeyPairPem,
  publicKeyOf,
} from "./pki/certificate-authority.ts";

const DAY_MS = 86_400_000;
const ADMIN: UserInfo = { name: "admin", groups: ["system:masters"] };

type Json = Record<string, unknown>;

/** An object as tests look at it. */
export type AnyObject = Json & { metadata: Json };

/** A server on a memory store for tests; disposing stops it. */
export interface ServerFixture extends AsyncDisposable {
  server: ApiServer;
  store: Store;
  clock: VirtualClock;
  transport: Transport;
  /** Sends an in-process request as an administrator and gives its body. */
  ask(method: string, path: string, body?: object): Promise<AnyObject>;
  patch(path: string, of: { body: object; type: string }): Promise<AnyObject>;
}

/** Starts one that lets the administrator do everything. */
export async function startServer(
  options: Partial<ApiServerOptions> & { nowMs?: number } = {},
): Promise<ServerFixture> {
  const { nowMs, ...more } = options;
  const store = options.store ?? createMemoryStore();
  const clock = new VirtualClock(nowMs);
  const server = await createApiServer({
    store,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    security: () => ({
      authenticators: [
        {
          authenticate: ({ clientCertificate }) =>
            Promise.resolve(clientCertificate ? ADMIN : undefined),
        },
      ],
      authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
      admission: [],
    }),
    ...more,
  });
  const transport = server.transport(ADMIN);
  const send = async (request: Parameters<Transport["request"]>[0]) =>
    (await transport.request(request)).body as AnyObject;
  return {
    server,
    store,
    clock,
    transport,
    ask: (method, path, body) => send({ method: method as "GET", path, ...(body ? { body } : {}) }),
    patch: (path, { body, type }) =>
      send({ method: "PATCH", path, body, contentType: `application/${type}` }),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** The answer to a request over HTTPS. */
export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  bytes: Buffer;
  json(): AnyObject;
}

/** What to send. */
export interface HttpQuestion {
  method?: string;
  body?: string | Uint8Array;
  headers?: Record<string, string>;
  anonymous?: boolean;
}

/** A server that also listens, and a client that speaks to it. */
export interface HttpsFixture extends ServerFixture {
  port: number;
  ca: CertificateAuthority;
  client: KeyPairPem;
  http(path: string, question?: HttpQuestion): Promise<HttpAnswer>;
}

/** Starts a server on a free loopback port; its certificates are of the time that it is given. */
export async function startHttpsServer(
  nowMs: number,
  options: Partial<ApiServerOptions> = {},
): Promise<HttpsFixture> {
  const fixture = await startServer({ ...options, nowMs });
  const sources = { clock: fixture.clock, random: seededRandom(2) };
  const ca = createAuthority("test", { ...sources, keyPem: generateKeyPem() });
  const serving = issue(ca, "server");
  const client = issue(ca, "client");
  const address = await fixture.server.listen({
    host: "127.0.0.1",
    port: 0,
    cert: serving.certPem,
    key: serving.keyPem,
    clientCa: ca.pem.certPem,
  });
  const agent = new https.Agent({
    keepAlive: true,
    ca: ca.pem.certPem,
    cert: client.certPem,
    key: client.keyPem,
  });
  const nobody = new https.Agent({ ca: ca.pem.certPem });
  return {
    ...fixture,
    port: address.port,
    ca,
    client,
    http: (path, question = {}) =>
      exchange({ path, port: address.port, agent: question.anonymous ? nobody : agent }, question),
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      nobody.destroy();
      await fixture[Symbol.asyncDispose]();
    },
  };
}

function issue(ca: CertificateAuthority, usage: "server" | "client"): KeyPairPem {
  const keyPem = generateKeyPem();
  const certPem = ca.issue({
    subject: { commonName: usage, organizations: [] },
    usages: [usage],
    ipAddresses: ["127.0.0.1"],
    lifetimeMs: DAY_MS,
    publicKey: publicKeyOf(keyPem),
  });
  return { certPem, keyPem };
}

function exchange(
  at: { path: string; port: number; agent: https.Agent },
  { method = "GET", body, headers = {} }: HttpQuestion,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = https.request({ ...at, host: "127.0.0.1", method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        const json = () => JSON.parse(text) as AnyObject;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, bytes, json });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
