import { request as httpRequest } from "node:http";
import { type Duplex, PassThrough, type Readable } from "node:stream";
import type { Status } from "../api/status.ts";
import type { Clock } from "../lib/clock.ts";
import type { StreamSession } from "./runtime/contract.ts";
import { SpdySession } from "./stream/spdy-session.ts";
import type { SpdyStream } from "./stream/spdy-stream.ts";

/** Streams to open, as the URL was asked for. */
export interface RemoteCommandOptions {
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  clock: Clock;
  /** The exit code of a command that could not even be started, by the words that say why. */
  exitCodeOf(words: string): number;
}

const PROTOCOL = "v4.channel.k8s.io";
const CONNECT_MS = 10_000;

/**
 * A client of the streams that a container runtime, or a kubelet, offers under a URL: SPDY/3.1 with
 * the protocol of `kubectl exec`. @throws Error when the server refuses
 */
export async function openRemoteCommand(
  url: string,
  options: RemoteCommandOptions,
): Promise<StreamSession> {
  const { tty, clock } = options;
  const spdy = new SpdySession(await upgrade(url), { role: "client", clock, keepsUnread: true });
  const open = (streamtype: string) => spdy.open(new Map([["streamtype", streamtype]])).stream;
  const error = open("error");
  error.end();
  const stdin = options.stdin ? open("stdin") : undefined;
  const stdout = options.stdout ? open("stdout") : undefined;
  const stderr = options.stderr && !tty ? open("stderr") : undefined;
  const resize = tty ? open("resize") : undefined;
  for (const one of [stdout, stderr]) one?.end();
  // Both end here, after the words of a command that never ran.
  const [out, err] = [stdout && relay(stdout), stderr && relay(stderr)];
  const outcome = textOf(error).then((text) => outcomeOf(text, options));
  const exit = outcome.then(async ({ exitCode, words }) => {
    await Promise.all([out?.drained, err?.drained]);
    const said = err ?? out;
    if (words) said?.stream.write(words);
    for (const one of [out, err]) one?.stream.end();
    stdin?.destroy();
    spdy.close();
    return { exitCode };
  });
  exit.catch(() => {});
  return {
    ...(stdin && { stdin }),
    ...(out && { stdout: out.stream }),
    ...(err && { stderr: err.stream }),
    resize({ columns, rows }) {
      if (resize?.writable) resize.write(JSON.stringify({ Width: columns, Height: rows }));
    },
    exit,
    async [Symbol.asyncDispose]() {
      await spdy[Symbol.asyncDispose]();
      await exit;
    },
  };
}

function upgrade(url: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "SPDY/3.1",
      "x-stream-protocol-version": PROTOCOL,
    };
    const request = httpRequest(url, { method: "POST", headers, agent: false });
    request.setTimeout(CONNECT_MS, () => request.destroy(new Error("the server does not answer")));
    request.once("error", reject);
    request.once("response", (response) => {
      response.resume();
      reject(new Error(`the server of streams answered ${response.statusCode}`));
    });
    request.once("upgrade", (_response, socket, head) => {
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.end();
  });
}

/** What a stream brings, on one that the end of the command ends. */
function relay(source: SpdyStream): { stream: PassThrough; drained: Promise<void> } {
  const stream = new PassThrough();
  source.pipe(stream, { end: false });
  const drained = new Promise<void>((resolve) => {
    source.once("end", resolve);
    source.once("close", resolve);
  });
  return { stream, drained };
}

function textOf(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    stream.on("data", (chunk) => (text += String(chunk)));
    stream.once("end", () => resolve(text));
    stream.once("close", () => resolve(text));
  });
}

/** What the error stream says; nothing when the connection broke before the end. */
function outcomeOf(
  text: string,
  { exitCodeOf }: RemoteCommandOptions,
): { exitCode: number; words?: string } {
  const status = parsed(text);
  if (status?.status === "Success") return { exitCode: 0 };
  const cause = status?.details?.causes?.find(({ reason }) => reason === "ExitCode");
  if (cause) return { exitCode: Number(cause.message) };
  const words = status?.message ?? (text || "the container runtime broke the connection");
  return { exitCode: exitCodeOf(words), words: `${words}\n` };
}

function parsed(text: string): Status | undefined {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return undefined;
  }
}
