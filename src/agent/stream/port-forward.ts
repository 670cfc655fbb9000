import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { RESET_STATUS } from "../../format/spdy/frame.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { PodTarget, SessionBackend } from "./contract.ts";
import { SpdySession } from "./spdy-session.ts";
import type { SpdyStream } from "./spdy-stream.ts";

const PAIRS_MAX = 256;
const PAIR_TIMEOUT_MS = 30_000;

/** What forwarding needs. */
export interface PortForwardOptions {
  backend: SessionBackend;
  pod: PodTarget;
  clock: Clock;
  logger: Logger;
}

/** The streams of one connection; it waits until both are there. */
interface Pair {
  port: number;
  data?: SpdyStream;
  error?: SpdyStream;
  timer: Timer;
}

/** What a stream's headers say. */
interface StreamRole {
  /** Shared by the two streams of a connection. */
  id: string;
  port: number;
  type: "data" | "error";
}

/** What the error stream or channel says. */
export function failureText(port: number, { name, namespace }: PodTarget, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `error forwarding port ${port} to pod ${namespace}/${name}: ${why}`;
}

/** Serves port-forward over SPDY: a data and an error stream for each connection. */
export async function servePortForward(
  transport: Duplex,
  options: PortForwardOptions,
): Promise<void> {
  const { clock } = options;
  const pairs = new Map<string, Pair>();
  const onStream = (stream: SpdyStream) => {
    const role = roleOf(stream);
    if (!role) return stream.reset(RESET_STATUS.protocolError);
    const known = pairs.get(role.id);
    const fits = known ? !known[role.type] && known.port === role.port : pairs.size < PAIRS_MAX;
    if (!fits) return stream.reset(RESET_STATUS.refusedStream);
    const pair = known ?? startPair(pairs, role, clock);
    stream.accept();
    pair[role.type] = stream;
    const { data, error, port } = pair;
    if (!data || !error) return;
    pairs.delete(role.id);
    pair.timer.cancel();
    void forward({ data, error, port }, options);
  };
  const session = new SpdySession(transport, { role: "server", clock, onStream });
  await session.closed;
  for (const { timer } of pairs.values()) timer.cancel();
}

function roleOf({ id, headers }: SpdyStream): StreamRole | undefined {
  const port = Number(headers.get("port"));
  const type = headers.get("streamtype");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  if (type !== "data" && type !== "error") return undefined;
  // Old clients send no requestID; their data stream follows the error stream at once.
  const fallback = `stream-${type === "error" ? id : id - 2}`;
  return { id: headers.get("requestid") ?? fallback, port, type };
}

function startPair(pairs: Map<string, Pair>, { id, port }: StreamRole, clock: Clock): Pair {
  const timer = clock.setTimer(PAIR_TIMEOUT_MS, () => {
    pairs.delete(id);
    pair.error?.reset(RESET_STATUS.cancel);
    pair.data?.reset(RESET_STATUS.cancel);
  });
  const pair: Pair = { port, timer };
  pairs.set(id, pair);
  return pair;
}

async function forward(
  { data, error, port }: { data: SpdyStream; error: SpdyStream; port: number },
  { backend, pod, logger }: PortForwardOptions,
): Promise<void> {
  // The client never writes errors; reading keeps its half-close from lingering.
  error.resume();
  try {
    await join(data, await backend.portForward(pod, port));
    error.end();
  } catch (cause) {
    const text = failureText(port, pod, cause);
    logger.debug("port-forward failed", { port, error: text });
    error.end(text);
    data.reset(RESET_STATUS.cancel);
  }
}

/** Joins two connections, each direction on its own, until the pod's end is closed. */
function join(client: SpdyStream, target: Socket): Promise<void> {
  return new Promise((resolve) => {
    target.allowHalfOpen = true;
    target.on("error", () => {});
    target.once("close", () => {
      // A connection that broke must not look like one that ended.
      if (!client.writableEnded) client.reset(RESET_STATUS.cancel);
      resolve();
    });
    client.once("close", () => {
      // After an orderly end the last bytes may still be on their way to the pod.
      if (!client.readableEnded || !client.writableFinished) target.destroy();
    });
    if (client.destroyed) return void target.destroy();
    client.pipe(target);
    target.pipe(client);
  });
}
