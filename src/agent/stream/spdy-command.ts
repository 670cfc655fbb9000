import { type Duplex, finished, type Readable, type Writable } from "node:stream";
import type { Status } from "../../api/status.ts";
import { RESET_STATUS } from "../../format/spdy/frame.ts";
import type { Clock } from "../../lib/clock.ts";
import type { ExecOptions, StreamSession } from "../runtime/contract.ts";
import { exitStatus, failureStatus } from "./remote-command.ts";
import { SpdySession } from "./spdy-session.ts";
import type { SpdyStream } from "./spdy-stream.ts";
import { terminalSizeReader } from "./terminal-size.ts";

/** Values of X-Stream-Protocol-Version for exec and attach, best first. */
export const SPDY_COMMAND_PROTOCOLS: readonly string[] = [
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
];

const STREAM_CREATION_TIMEOUT_MS = 30_000;

/** What the client agreed to. */
export interface SpdyCommandOptions {
  streams: Omit<ExecOptions, "command">;
  protocol: string;
  clock: Clock;
}

type Streams = ReadonlyMap<string, SpdyStream>;

function expectedTypes({ streams, protocol }: SpdyCommandOptions): string[] {
  const resizes = streams.tty && /^v[34]\./.test(protocol);
  const names = (["stdin", "stdout", "stderr"] as const).filter((name) => streams[name]);
  return ["error", ...names, ...(resizes ? ["resize"] : [])];
}

/** Waits until the client opened every stream. Rejects when it takes too long or goes away. */
function openStreams(
  transport: Duplex,
  options: SpdyCommandOptions,
): Promise<{ connection: SpdySession; streams: Streams }> {
  const expected = new Set(expectedTypes(options));
  const streams = new Map<string, SpdyStream>();
  return new Promise((resolve, reject) => {
    const timer = options.clock.setTimer(STREAM_CREATION_TIMEOUT_MS, () => {
      reject(new Error("the client did not open its streams in time"));
      transport.destroy();
    });
    const onStream = (stream: SpdyStream) => {
      const type = stream.headers.get("streamtype") ?? "";
      if (!expected.delete(type)) return stream.reset(RESET_STATUS.refusedStream);
      stream.accept();
      streams.set(type, stream);
      if (expected.size > 0) return;
      timer.cancel();
      resolve({ connection, streams });
    };
    const { clock } = options;
    const connection = new SpdySession(transport, { role: "server", clock, onStream });
    void connection.closed.then(() => {
      timer.cancel();
      reject(new Error("the client went away"));
    });
  });
}

/** Resolves when all of `source` was handed to `target`; a target that went away is no obstacle. */
function copy(source: Readable | undefined, target: Writable | undefined): Promise<void> {
  if (!source) return Promise.resolve();
  return new Promise((resolve) => {
    finished(source, { writable: false }, () => resolve());
    if (!target) return void source.resume();
    target.once("close", () => {
      source.unpipe(target);
      source.resume();
    });
    source.pipe(target, { end: false });
  });
}

/** The outcome on the error stream: JSON from version 4 on, only the text of failures before. */
function encodeOutcome(status: Status, protocol: string): string {
  if (protocol.startsWith("v4.")) return JSON.stringify(status);
  return status.status === "Success" ? "" : (status.message ?? "unknown error");
}

/** Ends every stream with what belongs on it, then the connection. */
async function finish(
  { connection, streams }: { connection: SpdySession; streams: Streams },
  outcome: string,
): Promise<void> {
  const endings = ["stdout", "stderr", "error"].map((type) => {
    const stream = streams.get(type);
    return new Promise<void>((resolve) => {
      if (!stream || stream.destroyed) return resolve();
      stream.once("close", resolve);
      if (type === "error" && outcome) stream.end(outcome, resolve);
      else stream.end(resolve);
    });
  });
  await Promise.all(endings);
  connection.close();
}

/**
 * Connects a session with the streams of a SPDY connection until its command ends or the client
 * leaves. Rejects only when the client never opened its streams; the session is disposed always.
 */
export async function serveSpdyCommand(
  transport: Duplex,
  session: StreamSession,
  options: SpdyCommandOptions,
): Promise<void> {
  try {
    const opened = await openStreams(transport, options);
    const { connection, streams } = opened;
    const gone = connection.closed.then(() => "gone" as const);
    streams.get("resize")?.on(
      "data",
      terminalSizeReader((size) => session.resize(size)),
    );
    const stdin = streams.get("stdin");
    if (session.stdin) {
      session.stdin.on("error", () => stdin?.resume());
      stdin?.pipe(session.stdin);
    } else stdin?.resume();
    const output = [
      copy(session.stdout, streams.get("stdout")),
      copy(session.stderr, streams.get("stderr")),
    ] as const;
    const ended = Promise.all([session.exit, ...output]).then(
      ([exit]) => exitStatus(exit.exitCode),
      failureStatus,
    );
    const outcome = await Promise.race([ended, gone]);
    if (outcome !== "gone") await finish(opened, encodeOutcome(outcome, options.protocol));
  } finally {
    await session[Symbol.asyncDispose]();
  }
}
