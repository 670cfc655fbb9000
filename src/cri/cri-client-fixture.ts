import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect } from "node:net";
import type * as cri from "../format/cri/generated.ts";
import { MESSAGES, SERVICES } from "../format/cri/generated.ts";
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
  /** Sees each answer of a stream; true ends the call. */
  onMessage?: (message: unknown) => boolean;
}

/** A client of the Container Runtime Interface for tests. */
export interface CriClient extends AsyncDisposable {
  /** @throws CriCallError */
  call<S extends keyof Services, M extends keyof Services[S] & string>(
    method: `${S}/${M}`,
    request: RequestOf<Services[S][M]>,
    options?: CallOptions,
  ): Promise<ResponseOf<Services[S][M]>>;
}

/** What the server refused. */
export class CriCallError extends Error {
  override readonly name = "CriCallError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const PREFIX_BYTES = 5;

/** Connects to a Unix socket. */
export function connectCri(socketPath: string): CriClient {
  const codec = createMessageCodec(MESSAGES);
  const session: ClientHttp2Session = connectHttp2("http://localhost", {
    createConnection: () => connect(socketPath),
  });
  session.on("error", () => {}); // every call fails with it too
  return {
    async call(method, request, { version = "v1", headers = {}, onMessage } = {}) {
      const [service = "", name = ""] = (method as string).split("/");
      const [requestType = "", ...rest] = (SERVICES[service]?.[name] ?? "").split(" ");
      const stream = session.request({
        ":method": "POST",
        ":path": `/runtime.${version}.${service}/${name}`,
        "content-type": "application/grpc",
        te: "trailers",
        ...headers,
      });
      let ending: IncomingHttpHeaders = {};
      stream.on("response", (head) => (ending = head));
      stream.on("trailers", (trailers) => (ending = trailers));
      const bytes = codec.encode(requestType, request);
      const prefix = Buffer.alloc(PREFIX_BYTES);
      prefix.writeUInt32BE(bytes.length, 1);
      stream.end(Buffer.concat([prefix, bytes]));
      let received = Buffer.alloc(0);
      const decode = (): unknown => {
        if (received.length < PREFIX_BYTES) return undefined;
        const end = PREFIX_BYTES + received.readUInt32BE(1);
        if (received.length < end) return undefined;
        const message = codec.decode(rest.at(-1) ?? "", received.subarray(PREFIX_BYTES, end));
        received = received.subarray(end);
        return message;
      };
      let last: unknown;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        received = Buffer.concat([received, chunk]);
        for (let message = decode(); message !== undefined; message = decode()) {
          last = message;
          if (onMessage?.(message)) return last as never;
        }
      }
      const code = Number(ending["grpc-status"] ?? 2);
      if (code === 0) return last as never;
      throw new CriCallError(code, decodeURIComponent(`${ending["grpc-message"]}`));
    },
    async [Symbol.asyncDispose]() {
      if (session.destroyed) return;
      const closed = once(session, "close");
      session.destroy();
      await closed;
    },
  };
}
