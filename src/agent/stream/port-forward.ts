import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { PodTarget, StreamBackend } from "./contract.ts";
import { SpdySession } from "./spdy-session.ts";
import type { SpdyStream } from "./spdy-stream.ts";

const PAIRS_MAX = 256;
const PAIR_TIMEOUT_MS = 30_000;

/** What forwarding needs. */
export interface PortForwardOptions {
  backend: StreamBackend;
  pod: PodTarget;
  clock: Clock;
  logger: Logger;
}

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
}

/** What the error stream or channel says. */
export function failureText(port: number, { name, namespace }: PodTarget, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `error forwarding port ${port} to pod ${namespace}/${name}: ${why}`;
}

/** Joins two connections, each direction on its own, until the pod's end is closed. */
function join(client: Duplex, target: Socket): Promise<void> {
  return new Promise((resolve) => {
    client.once("close", () => target.destroy());
    target.on("error", () => {});
    target.once("close", () => {
      if (!client.writableEnded) client.end();
      resolve();
    });
    client.pipe(target);
    target.pipe(client);
  });
}

async function forward(pair: Required<Pair>, port: number, options: PortForwardOptions) {
  const { data, error: errors } = pair;
  // The client never writes errors; reading keeps its half-close from lingering.
  errors.resume();
  try {
    const target = await options.backend.portForward(options.pod, port);
    await join(data, target);
  } catch (error) {
    const text = failureText(port, options.pod, error);
    options.logger.debug("port-forward failed", { port, error: text });
    errors.write(text);
    data.destroy();
  }
  errors.end();
}

/** Serves port-forward over SPDY: a data and an error stream for each connection. */
export function servePortForward(transport: Duplex, options: PortForwardOptions): SpdySession {
  const pairs = new Map<string, Pair>();
  const session = new SpdySession(transport, (stream) => {
    const port = Number(stream.headers.get("port"));
    const type = stream.headers.get("streamtype");
    const valid = Number.isInteger(port) && port > 0 && port < 65_536;
    if (!valid || (type !== "data" && type !== "error")) return void stream.destroy();
    // Old clients send no requestID; their data stream follows the error stream at once.
    const fallback = type === "error" ? stream.streamId : stream.streamId - 2;
    const id = stream.headers.get("requestid") ?? `stream-${fallback}`;
    const pair = pairs.get(id) ?? {};
    if (pair[type] || pairs.size >= PAIRS_MAX) return void stream.destroy();
    pair[type] = stream;
    pairs.set(id, pair);
    const { data, error } = pair;
    if (data && error) {
      pairs.delete(id);
      void forward({ data, error }, port, options);
      return;
    }
    const timer = options.clock.setTimer(PAIR_TIMEOUT_MS, () => {
      if (pairs.get(id) !== pair) return;
      pairs.delete(id);
      stream.destroy();
    });
    stream.once("close", () => timer.cancel());
  });
  return session;
}
