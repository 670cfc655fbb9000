import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { HTTPGetAction, HTTPHeader } from "../../api/generated/types/core-v1.ts";
import { BODY_TIMED_OUT, REQUEST_TIMED_OUT, requestFailure } from "./failure-words.ts";
import { type AttemptContext, type Outcome, SUCCESS } from "./outcome.ts";
import { addressOf, portOf } from "./target-address.ts";

const BODY_MAX_BYTES = 10 << 10;
const REQUESTS_MAX = 10;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** Of these a Go server reads the first value only. */
const SINGLE: readonly string[] = ["host", "user-agent", "accept"];

/** What a server answered in the end. */
interface HttpAnswer {
  status: number;
  /** As much of it as is looked at. */
  body: string;
  /** Why not all of that came. */
  broken?: string;
  location: string | undefined;
}

/** No answer, in a kubelet's words. */
class RequestError extends Error {}

/**
 * GET, as a kubelet's prober does it: redirects to the same host are followed, one to another host
 * is a success that is told of. @throws Error for a port that does not exist
 */
export async function attemptHttp(
  action: HTTPGetAction,
  context: AttemptContext,
): Promise<Outcome> {
  let answer: HttpAnswer;
  try {
    answer = await follow(action, context);
  } catch (error) {
    if (error instanceof RequestError) return { result: "failure", message: error.message };
    throw error;
  }
  if (context.takesAnyAnswer) return SUCCESS;
  const { status, body, broken } = answer;
  if (broken !== undefined) return { result: "error", message: broken };
  if (status < 200 || status >= 400) {
    return { result: "failure", message: `HTTP probe failed with statuscode: ${status}` };
  }
  if (status < 300) return SUCCESS;
  return { result: "warning", message: `Probe terminated redirects, Response body: ${body}` };
}

/** @throws RequestError */
async function follow(action: HTTPGetAction, context: AttemptContext): Promise<HttpAnswer> {
  const { target, timeoutMs, userAgent } = context;
  const address = addressOf(action.host || target.podIp, portOf(action.port, target));
  const scheme = action.scheme === "HTTPS" ? "https" : "http";
  let url = `${scheme}://${address}${pathOf(action.path ?? "/")}`;
  const { hostname } = new URL(url);
  const { host, ...headers } = headersOf(action.httpHeaders ?? [], userAgent);
  let sentHost = host;
  // One timer for the whole exchange: a server that trickles bytes must not keep it alive.
  const signal = AbortSignal.timeout(timeoutMs);
  for (let made = 1; ; made++) {
    const sent = sentHost === undefined ? headers : { ...headers, host: sentHost };
    const answer = await get(url, { headers: sent, signal });
    const { status, location } = answer;
    if (!location || !REDIRECTS.includes(status)) return answer;
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
    const refuse = (why: string) => new RequestError(`Get "${location}": ${why}`);
    if (!next) throw refuse(`failed to parse Location header "${location}"`);
    if (next.hostname !== hostname) return answer;
    if (made >= REQUESTS_MAX) throw refuse(`stopped after ${REQUESTS_MAX} redirects`);
    if (!/^https?:$/.test(next.protocol)) {
      throw refuse(`unsupported protocol scheme "${next.protocol.slice(0, -1)}"`);
    }
    // A name that was asked for by a header stays that of this server only.
    if (URL.canParse(location)) sentHost = undefined;
    url = next.href;
  }
}

/** @throws RequestError when there is no answer */
function get(
  url: string,
  { headers, signal }: { headers: OutgoingHttpHeaders; signal: AbortSignal },
): Promise<HttpAnswer> {
  const { hostname, host, port, protocol } = new URL(url);
  const path = url.slice(url.indexOf("/", `${protocol}//`.length)) || "/";
  const secure = protocol === "https:";
  const defaultPort = secure ? 443 : 80;
  const options = {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port || defaultPort,
    path,
    headers,
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      const address = port ? host : `${host}:${defaultPort}`;
      reject(new RequestError(requestFailure(url, error, address)));
    };
    if (signal.aborted) return fail(new Error(REQUEST_TIMED_OUT));
    const request = secure
      ? httpsRequest({ ...options, rejectUnauthorized: false })
      : httpRequest(options);
    const onAbort = () => request.destroy(new Error(REQUEST_TIMED_OUT));
    signal.addEventListener("abort", onAbort);
    request.on("error", fail);
    request.on("close", () => signal.removeEventListener("abort", onAbort));
    request.on("response", (response) => {
      // From here on the answer's end tells.
      request.off("error", fail).on("error", () => {});
      void read(response, signal).then(resolve);
    });
    request.end();
  });
}

/** Reads what is looked at of a body, and leaves the rest. */
async function read(response: IncomingMessage, signal: AbortSignal): Promise<HttpAnswer> {
  const { statusCode: status = 0, headers } = response;
  const chunks: Buffer[] = [];
  let size = 0;
  let broken: string | undefined;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= BODY_MAX_BYTES) break;
    }
  } catch {
    broken = signal.aborted ? BODY_TIMED_OUT : "unexpected EOF";
  }
  const body = Buffer.concat(chunks).subarray(0, BODY_MAX_BYTES).toString();
  return { status, body, location: headers.location, ...(broken ? { broken } : {}) };
}

/** With what a request line cannot hold escaped. */
function pathOf(path: string): string {
  const escaped = path.replace(/[^\x21-\x7e]+/gu, encodeURIComponent);
  return escaped.startsWith("/") ? escaped : `/${escaped}`;
}

/** Names in lower case. What a probe says goes before what is said anyway, also if it is empty. */
function headersOf(
  given: readonly HTTPHeader[],
  userAgent: string,
): Record<string, string[] | string> {
  const headers: Record<string, string[] | string> = { "user-agent": userAgent, accept: "*/*" };
  const values = new Map<string, string[]>();
  for (const { name, value } of given) {
    const key = name.toLowerCase();
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  for (const [name, [first = "", ...more]] of values) {
    headers[name] = more.length > 0 && !SINGLE.includes(name) ? [first, ...more] : first;
  }
  for (const name of SINGLE) if (headers[name] === "") delete headers[name];
  return headers;
}
