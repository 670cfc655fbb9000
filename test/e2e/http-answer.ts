import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";

/** Status and whole body of an answer. */
export interface HttpAnswer {
  status: number;
  body: string;
}

/** One request on a connection of its own. @throws Error when it gets no whole answer within 5 s */
export async function askHttp(
  url: string,
  post?: string,
  { host }: { host?: string } = {},
): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(5_000);
  const method = post === undefined ? "GET" : "POST";
  const headers = host === undefined ? {} : { host };
  const asked = request(url, { agent: false, method, signal, headers });
  asked.end(post);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
}
