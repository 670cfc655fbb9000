import https from "node:https";
import type { AddressInfo } from "node:net";
import type { IncomingMessage, ServerResponse } from "node:http";
import { seededRandom } from "../../lib/random.ts";
import { createAuthority, generateKeyPem, publicKeyOf } from "../pki/certificate-authority.ts";

type Json = Record<string, unknown>;

/** A request that a webhook of a test received. */
export interface ReceivedCall {
  path: string;
  body: Json;
}

/** Answers with JSON, or writes to the response itself and returns nothing. */
export type WebhookHandler = (
  call: ReceivedCall,
  response: ServerResponse,
  request: IncomingMessage,
) => Json | undefined;

/** A webhook for tests on a loopback port; disposing closes it. */
export interface WebhookServerFixture extends AsyncDisposable {
  port: number;
  /** `clientConfig` of a webhook at this path. */
  clientConfig(path?: string): { url: string; caBundle: string };
  caBundle: string;
  calls: ReceivedCall[];
  /** Resolves when so many calls have come. */
  received(count: number): Promise<void>;
}

/** `now` is the machine's time: TLS looks at it. `names` are further names of the server. */
export async function startWebhookServer(
  handler: WebhookHandler,
  { now, names = [] }: { now: number; names?: readonly string[] },
): Promise<WebhookServerFixture> {
  const clock = { now: () => now, monotonicMs: () => 0, setTimer: () => ({ cancel: () => {} }) };
  const sources = { clock, random: seededRandom(3) };
  const authority = createAuthority("webhooks", { ...sources, keyPem: generateKeyPem() });
  const key = generateKeyPem();
  const cert = authority.issue({
    subject: { commonName: "webhook", organizations: [] },
    usages: ["server"],
    ipAddresses: ["127.0.0.1"],
    dnsNames: names,
    lifetimeMs: 3_600_000,
    publicKey: publicKeyOf(key),
  });
  const calls: ReceivedCall[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = https.createServer({ cert, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Json;
      const call = { path: request.url ?? "", body };
      calls.push(call);
      for (const { count, resolve } of waiting) if (calls.length >= count) resolve();
      const answer = handler(call, response, request);
      if (answer) {
        response.setHeader("Content-Type", "application/json");
        response.end(JSON.stringify(answer));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const caBundle = Buffer.from(authority.pem.certPem).toString("base64");
  return {
    port,
    caBundle,
    calls,
    clientConfig: (path = "/") => ({ url: `https://127.0.0.1:${port}${path}`, caBundle }),
    received: (count) =>
      new Promise((resolve) => {
        if (calls.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
