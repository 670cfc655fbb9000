import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { fromHttp2Headers, onlyHeader, toHttp2Headers } from "./headers.ts";
import { lookupOutside } from "./outside-names.ts";
import {
  type Endpoint,
  type EndpointTls,
  type Upstream,
  type UpstreamAnswer,
  UpstreamSilentError,
  type UpstreamTimeouts,
} from "./upstream.ts";

/** An idle session is closed so late. */
const SESSION_IDLE_MS = 120_000;

/** HTTP/2, plain or by TLS, to endpoints that are known to speak it: one session for each. */
export function createHttp2Upstream(timeouts: UpstreamTimeouts): Upstream {
  const sessions = new Map<string, Promise<ClientHttp2Session>>();
  const sessionTo = ({ address, port, protocol, tls }: Endpoint): Promise<ClientHttp2Session> => {
    const origin = `${schemeOf(protocol)}://${address}:${port}`;
    const key = tls ? `${origin} ${tls.id}` : origin;
    const known = sessions.get(key);
    if (known) return known;
    const opening = openSession(origin, { tls, connectMs: timeouts.connectMs });
    sessions.set(key, opening);
    const forget = () => {
      if (sessions.get(key) === opening) sessions.delete(key);
    };
    opening.then((session) => {
      // After a "go away" what runs on it ends well, but nothing new may begin.
      for (const event of ["goaway", "close", "error"]) session.on(event, forget);
    }, forget);
    return opening;
  };
  return {
    async open(endpoint, { method, target, headers, hasBody }) {
      const scheme = schemeOf(endpoint.protocol);
      const session = await sessionTo(endpoint);
      const stream = session.request(
        {
          ...toHttp2Headers(headers),
          te: "trailers",
          ":method": method,
          ":path": target,
          ":scheme": scheme,
          ":authority": onlyHeader(headers, "host") ?? endpoint.address,
        },
        { endStream: !hasBody },
      );
      const answer = answerTo(stream, timeouts);
      answer.catch(() => {});
      const destroy = () => stream.close(constants.NGHTTP2_CANCEL);
      return { body: stream, answer, isReused: false, destroy };
    },
    [Symbol.dispose]() {
      for (const opening of sessions.values()) {
        opening.then(
          (session) => session.destroy(),
          () => {},
        );
      }
      sessions.clear();
    },
  };
}

function schemeOf(protocol: Endpoint["protocol"]): "http" | "https" {
  return protocol === "h2" ? "https" : "http";
}

async function openSession(
  origin: string,
  { tls, connectMs }: { tls: EndpointTls | undefined; connectMs: number },
): Promise<ClientHttp2Session> {
  // As with HTTP/1.1: pods have no names that a public authority would vouch for.
  const proof = tls ?? { rejectUnauthorized: false };
  const session = connect(origin, { lookup: lookupOutside, ...proof });
  try {
    await once(session, "connect", { signal: AbortSignal.timeout(connectMs) });
  } catch (error) {
    session.on("error", () => {});
    session.destroy();
    throw error;
  }
  session.on("error", () => {}); // every stream of it fails as well
  session.setTimeout(SESSION_IDLE_MS, () => session.close());
  session.unref();
  return session;
}

function answerTo(
  stream: ClientHttp2Stream,
  { answerMs, idleMs }: UpstreamTimeouts,
): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    let trailers: string[] = [];
    const fallSilent = () => {
      reject(new UpstreamSilentError("no answer"));
      stream.close(constants.NGHTTP2_CANCEL);
    };
    stream.setTimeout(answerMs, fallSilent);
    stream.on("error", reject);
    stream.on("close", () => reject(new Error("the stream ended without an answer")));
    stream.on("trailers", (headers: IncomingHttpHeaders) => (trailers = fromHttp2Headers(headers)));
    stream.once(
      "response",
      (headers: IncomingHttpHeaders & IncomingHttpStatusHeader, flags: number) => {
        stream.setTimeout(idleMs);
        resolve({
          status: headers[":status"] ?? 502,
          headers: fromHttp2Headers(headers),
          body: stream,
          ends: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0,
          trailers: () => trailers,
          isWhole: () => stream.rstCode === constants.NGHTTP2_NO_ERROR,
        });
      },
    );
  });
}
