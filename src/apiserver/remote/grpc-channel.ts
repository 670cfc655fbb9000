import {
  type ClientHttp2Session,
  connect as connectHttp2,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect } from "node:net";
import { decodeGrpcMessage } from "../../format/grpc/grpc-status.ts";
import type { GrpcTarget } from "../../format/grpc/grpc-target.ts";
import type { Clock } from "../../lib/clock.ts";

const PREFIX_BYTES = 5;
/** Larger answers are refused. */
const ANSWER_MAX_BYTES = 1 << 20;

/** Calls with one message in either direction, without TLS; connects when it is needed. */
export class GrpcChannel implements Disposable {
  readonly #address: GrpcTarget;
  readonly #clock: Clock;
  #session: ClientHttp2Session | undefined;

  constructor(address: GrpcTarget, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
  }

  /** The answer's message. @throws Error when there is none in time, or the server refuses */
  call(path: string, message: Uint8Array, timeoutMs: number): Promise<Buffer> {
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(message.length, 1);
    return new Promise((resolve, reject) => {
      const stream = this.#connected().request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        "grpc-timeout": `${Math.ceil(timeoutMs)}m`,
        te: "trailers",
      });
      const late = this.#clock.setTimer(timeoutMs, () => {
        stream.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
      });
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      let status: string | undefined;
      let text: string | undefined;
      const look = (headers: IncomingHttpHeaders) => {
        status = headers["grpc-status"]?.toString() ?? status;
        text = headers["grpc-message"]?.toString() ?? text;
      };
      stream.on("response", look);
      stream.on("trailers", look);
      stream.on("data", (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > ANSWER_MAX_BYTES) stream.destroy(new Error("the answer is too large"));
        else chunks.push(chunk);
      });
      stream.on("error", reject);
      stream.on("close", () => {
        late.cancel();
        if (status === "0") return resolve(Buffer.concat(chunks).subarray(PREFIX_BYTES));
        const why = text === undefined ? `status ${status ?? "none"}` : decodeGrpcMessage(text);
        reject(new Error(`the server answered: ${why}`));
      });
      stream.end(Buffer.concat([prefix, message]));
    });
  }

  [Symbol.dispose](): void {
    this.#session?.destroy();
  }

  #connected(): ClientHttp2Session {
    const known = this.#session;
    if (known && !known.closed && !known.destroyed) return known;
    const address = this.#address;
    const host = "host" in address ? `${address.host}:${address.port}` : "localhost";
    const options = "path" in address ? { createConnection: () => connect(address.path) } : {};
    const session = connectHttp2(`http://${host}`, options);
    session.on("error", () => {}); // every call fails with it too
    session.unref();
    this.#session = session;
    return session;
  }
}
