import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
} from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import type { Socket } from "node:net";
import { lookupOutside } from "./outside-names.ts";
import {
  type Endpoint,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamRequest,
  UpstreamSilentError,
  type UpstreamTimeouts,
} from "./upstream.ts";

/** Idle connections to one endpoint. */
const IDLE_MAX = 64;

/** Pods have no names that a public authority would vouch for. */
const UNPROVEN = { rejectUnauthorized: false };

/** HTTP/1.1 with kept-alive connections, plain or by TLS. */
export function createHttp1Upstream(timeouts: UpstreamTimeouts): Http1Upstream {
  const options = { keepAlive: true, maxFreeSockets: IDLE_MAX, scheduling: "lifo" as const };
  const plain = new Agent(options);
  // What the agent is made with goes before what requests say, so this is for them to say.
  const secured = new TlsAgent(options);
  const start = ({ address, port, protocol, tls }: Endpoint, of: UpstreamRequest) => {
    const isSecured = protocol === "https";
    const headers = [...of.headers];
    const isCounted = headers.some((name, at) => at % 2 === 0 && /^content-length$/i.test(name));
    if (of.hasBody && !isCounted) headers.push("Transfer-Encoding", "chunked");
    return (isSecured ? tlsRequest : plainRequest)({
      agent: isSecured ? secured : plain,
      host: address,
      lookup: lookupOutside,
      port,
      method: of.method,
      path: of.target,
      headers,
      ...(isSecured ? (tls ?? UNPROVEN) : {}),
    });
  };
  return {
    open: async (endpoint, of) => {
      const outgoing = start(endpoint, of);
      const answer = answerTo(outgoing, timeouts);
      answer.catch(() => {}); // somebody looks at it later, or never when nothing is connected
      await connected(outgoing, timeouts);
      const destroy = () => void outgoing.destroy();
      return { body: outgoing, answer, isReused: outgoing.reusedSocket, destroy };
    },
    openUpgrade: async (endpoint, of) => {
      const outgoing = start(endpoint, of);
      outgoing.on("error", () => {});
      await connected(outgoing, timeouts);
      return outgoing;
    },
    [Symbol.dispose]() {
      plain.destroy();
      secured.destroy();
    },
  };
}

/** Can also hand out the request itself, for whoever changes the protocol of its connection. */
export interface Http1Upstream extends Upstream {
  openUpgrade(endpoint: Endpoint, request: UpstreamRequest): Promise<ClientRequest>;
}

function connected(outgoing: ClientRequest, { connectMs }: UpstreamTimeouts): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("socket", (socket: Socket & { encrypted?: boolean }) => {
      if (outgoing.reusedSocket) return resolve();
      const event = socket.encrypted ? "secureConnect" : "connect";
      const late = AbortSignal.timeout(connectMs);
      const giveUp = () => outgoing.destroy(new Error("no connection in time"));
      late.addEventListener("abort", giveUp);
      const settle = () => late.removeEventListener("abort", giveUp);
      socket.once("close", settle);
      socket.once(event, () => {
        settle();
        socket.setNoDelay(true);
        resolve();
      });
    });
  });
}

function answerTo(
  outgoing: ClientRequest,
  { answerMs, idleMs }: UpstreamTimeouts,
): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    outgoing.setTimeout(answerMs, () => outgoing.destroy(new UpstreamSilentError("no answer")));
    outgoing.on("error", reject);
    outgoing.once("response", (incoming: IncomingMessage) => {
      outgoing.socket?.setTimeout(idleMs);
      resolve({
        status: incoming.statusCode ?? 502,
        headers: incoming.rawHeaders,
        body: incoming,
        ends: false,
        trailers: () => incoming.rawTrailers,
        isWhole: () => incoming.complete,
      });
    });
  });
}
