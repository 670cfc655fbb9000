import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { json } from "node:stream/consumers";
import type { ServerUnderTest } from "../server-under-test.ts";
import type { Definitions } from "./cases/additions.ts";

const PATIENCE_MS = 30_000;

/** The types that a server describes in its OpenAPI v2 document. */
export async function readDefinitions({ target }: ServerUnderTest): Promise<Definitions> {
  const { caPem: ca, certPem: cert, keyPem: key, server } = target;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const sent = request(`${server}/openapi/v2`, { ca, cert, key, signal, agent: false });
  sent.setHeader("accept", "application/json");
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const document = (await json(response)) as { definitions?: Definitions };
  if (response.statusCode === 200 && document.definitions) return document.definitions;
  throw new Error(`Cannot read /openapi/v2 of ${server}: the answer is ${response.statusCode}`);
}
