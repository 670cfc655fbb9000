import type { Readable, Writable } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { StreamSession } from "../runtime/contract.ts";
import { exitStatus, failureStatus, untilEnd } from "./remote-command.ts";

/** Subprotocols of exec and attach, best first; base64 variants carry text messages. */
export const COMMAND_PROTOCOLS: readonly string[] = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
];

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** More unsent output than this pauses the command's streams. */
const UNSENT_MAX_BYTES = 1 << 20;
/** A connection that is not read does not tell that it broke: writing to it does. */
const PROBE_INTERVAL_MS = 10_000;
/** More input than this that the command has not read pauses the client. */
const UNREAD_MAX_BYTES = 1 << 20;

/**
 * Connects a session with the channels of a WebSocket until its command ends or the client leaves.
 * Never throws: what goes wrong is told on the error channel.
 */
export async function serveCommand(
  socket: WebSocket,
  { session, clock }: { session: StreamSession; clock: Clock },
): Promise<void> {
  const base64 = socket.protocol.includes("base64");
  const send = (channel: number, bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      const message = base64
        ? `${channel}${Buffer.from(bytes).toString("base64")}`
        : Buffer.concat([Uint8Array.of(channel), bytes]);
      socket.send(message, { binary: !base64 }, () => resolve());
    });
  const forward = (stream: Readable | undefined, channel: number) => {
    stream?.on("error", () => {});
    stream?.on("data", (chunk: Buffer) => {
      const sent = send(channel, chunk);
      if (socket.bufferedAmount < UNSENT_MAX_BYTES) return;
      stream.pause();
      void sent.then(() => stream.resume());
    });
    return untilEnd(stream);
  };
  const gone = new Promise<"gone">((resolve) => socket.once("close", () => resolve("gone")));
  socket.on("message", (data) => {
    receive(session, decode(data, base64));
    const { stdin } = session;
    if (!stdin || stdin.destroyed || stdin.writableLength < UNREAD_MAX_BYTES) return;
    if (!socket.isPaused) holdUntilRead(socket, { stdin, clock });
  });
  session.stdin?.on("error", () => {});
  const outputs = Promise.all([
    forward(session.stdout, CHANNEL.stdout),
    forward(session.stderr, CHANNEL.stderr),
  ]);
  const ended = async () => {
    const { exitCode } = await session.exit;
    await outputs;
    return exitStatus(exitCode);
  };
  const outcome = await Promise.race([ended().catch(failureStatus), gone]);
  if (outcome !== "gone") {
    // Before v4 the channel carried the bare message of a failure.
    const structured = /^v[45]\./.test(socket.protocol);
    const failed = outcome.status === "Failure";
    const text = structured ? JSON.stringify(outcome) : failed ? (outcome.message ?? "") : "";
    if (text) await send(CHANNEL.error, Buffer.from(text));
    socket.close(1000);
  }
  await session[Symbol.asyncDispose]();
}

/** Reads no more from the client until the command has read what there is. */
function holdUntilRead(
  socket: WebSocket,
  { stdin, clock }: { stdin: Writable; clock: Clock },
): void {
  let timer: Timer;
  const probe = () => {
    socket.ping();
    timer = clock.setTimer(PROBE_INTERVAL_MS, probe);
  };
  const release = () => {
    timer.cancel();
    stdin.off("drain", release).off("close", release);
    socket.off("close", release).resume();
  };
  timer = clock.setTimer(PROBE_INTERVAL_MS, probe);
  socket.pause();
  stdin.once("drain", release).once("close", release);
  socket.once("close", release);
}

function decode(data: RawData, base64: boolean): { channel: number; bytes: Buffer } {
  const message = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
  if (!base64) return { channel: message[0] ?? -1, bytes: message.subarray(1) };
  const text = message.toString("latin1");
  return { channel: Number(text[0]), bytes: Buffer.from(text.slice(1), "base64") };
}

function receive(
  session: StreamSession,
  { channel, bytes }: { channel: number; bytes: Buffer },
): void {
  if (channel === CHANNEL.stdin && bytes.length > 0) session.stdin?.write(bytes);
  if (channel === CHANNEL.close && bytes[0] === CHANNEL.stdin) session.stdin?.end();
  if (channel !== CHANNEL.resize) return;
  try {
    const { Width, Height } = JSON.parse(bytes.toString()) as { Width: number; Height: number };
    if (Width > 0 && Height > 0) session.resize({ columns: Width, rows: Height });
  } catch {
    // A malformed size changes nothing.
  }
}
