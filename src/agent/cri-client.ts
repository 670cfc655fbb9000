import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect } from "node:net";
import type * as cri from "../format/cri/generated.ts";
import { MESSAGES, SERVICES } from "../format/cri/generated.ts";
import { decodeGrpcMessage, GrpcError, grpcCodeOf } from "../format/grpc/grpc-status.ts";
import { createMessageCodec, type Outgoing } from "../format/protobuf/message-codec.ts";

interface Services {
  RuntimeService: cri.RuntimeServiceMethods;
  ImageService: cri.ImageServiceMethods;
}

interface Method {
  request: object;
  response: object;
}

type RequestOf<T> = T extends Method ? Outgoing<T["request"]> : never;
type ResponseOf<T> = T extends Method ? T["response"] : never;

/** How a call may differ from the usual. */
export interface CallOptions {
  version?: "v1" | "v1alpha2";
  headers?: Readonly<Record<string, string>>;
  /** The server gives up after it; two minutes when absent, none for a stream of answers. */
  timeoutMs?: number;
  /** Ends the call, which then fails with the code "cancelled". */
  signal?: AbortSignal;
  /** Sees each answer of a stream; true ends the call. */
  onMessage?: (message: unknown) => boolean;
}

/** A client of the Container Runtime Interface. */
export interface CriClient extends AsyncDisposable {
  /** @throws GrpcError, "unavailable" when nobody answers on the socket */
  call<S extends keyof Services, M extends keyof Services[S] & string>(
    method: `${S}/${M}`,
    request: RequestOf<Services[S][M]>,
    options?: CallOptions,
  ): Promise<ResponseOf<Services[S][M]>>;
}

const PREFIX_BYTES = 5;
const TIMEOUT_MS = 120_000;
/** An answer that lists every image or container of a node. */
const MESSAGE_MAX_BYTES = 16 * 1024 * 1024;

/**
 * A client of the server on a Unix socket. Connects with the first call, and again with the next
 * one after the server has gone.
 */
export function connectCri(socketPath: string): CriClient {
  const codec = createMessageCodec(MESSAGES);
  let session: ClientHttp2Session | undefined;
  let broken: Error | undefined;
  const connected = (): ClientHttp2Session => {
    if (session && !session.closed && !session.destroyed) return session;
    session = connectHttp2("http://localhost", { createConnection: () => connect(socketPath) });
    broken = undefined;
    session.on("error", (error) => (broken = error)); // every call fails with it too
    return session;
  };
  return {
    async call(method, request, { version = "v1", headers = {}, ...options } = {}) {
      const [service = "", name = ""] = (method as string).split("/");
      const [requestType = "", ...rest] = (SERVICES[service]?.[name] ?? "").split(" ");
      const streams = rest.length > 1;
      const timeoutMs = options.timeoutMs ?? (streams ? undefined : TIMEOUT_MS);
      const stream = connected().request({
        ":method": "POST",
        ":path": `/runtime.${version}.${service}/${name}`,
        "content-type": "application/grpc",
        te: "trailers",
        ...(timeoutMs !== undefined && { "grpc-timeout": grpcTimeout(timeoutMs) }),
        ...headers,
      });
      stream.end(framed(codec.encode(requestType, request)));
      const { onMessage, signal } = options;
      const last = await answerOf(stream, {
        failed: (error) => `${name} at ${socketPath}: ${(broken ?? error).message}`,
        decode: (bytes) => codec.decode(rest.at(-1) ?? "", bytes),
        ...(onMessage && { onMessage }),
        ...(signal && { signal }),
      });
      return last as never;
    },
    async [Symbol.asyncDispose]() {
      if (!session || session.destroyed) return;
      const closed = once(session, "close");
      session.destroy();
      await closed;
    },
  };
}

/** At most eight digits. Source: github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md. */
function grpcTimeout(timeoutMs: number): string {
  const whole = Math.max(1, Math.ceil(timeoutMs));
  return whole < 1e8 ? `${whole}m` : `${Math.min(99_999_999, Math.ceil(whole / 1000))}S`;
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

interface Answering {
  /** Words for a call that came to no end. */
  failed(error: Error): string;
  decode(bytes: Uint8Array): unknown;
  onMessage?: (message: unknown) => boolean;
  signal?: AbortSignal;
}

/** The last message of an answer, once its trailers say that all went well. */
async function answerOf(stream: ClientHttp2Stream, answering: Answering): Promise<unknown> {
  const { failed, decode, onMessage, signal } = answering;
  let ending: IncomingHttpHeaders = {};
  stream.on("response", (head) => (ending = head));
  stream.on("trailers", (trailers) => (ending = trailers));
  const cancel = () => stream.close();
  signal?.addEventListener("abort", cancel, { once: true });
  let last: unknown;
  try {
    for await (const bytes of messagesOf(stream)) {
      last = decode(bytes);
      if (onMessage?.(last)) return last;
    }
  } catch (cause) {
    throw new GrpcError("unavailable", failed(cause as Error), { cause });
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
  const unfinished = (words: string) => failed(new Error(words));
  if (signal?.aborted) throw new GrpcError("cancelled", unfinished("cancelled by the caller"));
  const status = ending["grpc-status"];
  if (status === undefined) {
    throw new GrpcError("unavailable", unfinished("the answer broke off"));
  }
  const code = grpcCodeOf(Number(status));
  if (code === "ok") return last;
  throw new GrpcError(code, decodeGrpcMessage(String(ending["grpc-message"] ?? code)));
}

/** Each message without its prefix; bytes are put together when a message is complete. */
async function* messagesOf(stream: AsyncIterable<Buffer>): AsyncIterable<Uint8Array> {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  let wantedBytes = PREFIX_BYTES;
  for await (const chunk of stream) {
    parts.push(chunk);
    sizeBytes += chunk.length;
    while (sizeBytes >= wantedBytes) {
      const held = Buffer.concat(parts);
      const endBytes = PREFIX_BYTES + held.readUInt32BE(1);
      if (endBytes > MESSAGE_MAX_BYTES) throw new Error(`an answer of ${endBytes} bytes`);
      wantedBytes = endBytes;
      parts = [held];
      if (sizeBytes < endBytes) break;
      yield held.subarray(PREFIX_BYTES, endBytes);
      parts = [held.subarray(endBytes)];
      sizeBytes -= endBytes;
      wantedBytes = PREFIX_BYTES;
    }
  }
}
