import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";

const HEAD_END = Buffer.from("\r\n\r\n");

/** One answer; the body is left undecoded. */
export interface LeanResponse {
  status: number;
  body: Buffer;
}

/**
 * One kept-alive HTTP/1.1 connection over TLS, one request at a time, with so little work per
 * request that a load generator on the same machine does not measure itself.
 */
export class LeanConnection implements Disposable {
  readonly #socket: TLSSocket;
  readonly #headers: string;
  #received: Buffer = Buffer.alloc(0);
  #waiting:
    | { resolve: (response: LeanResponse) => void; reject: (error: Error) => void }
    | undefined;

  private constructor(socket: TLSSocket, headers: string) {
    this.#socket = socket;
    this.#headers = headers;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("the server closed the connection")));
  }

  static async open({
    server,
    caPem,
    certPem,
    keyPem,
    token,
  }: HttpsTransportOptions): Promise<LeanConnection> {
    const { hostname, port } = new URL(server);
    const socket = connect({
      host: hostname,
      port: Number(port || 443),
      ...(caPem ? { ca: caPem } : {}),
      ...(certPem && keyPem ? { cert: certPem, key: keyPem } : {}),
    });
    await once(socket, "secureConnect");
    socket.setNoDelay(true);
    const authorization = token ? `Authorization: Bearer ${token}\r\n` : "";
    return new LeanConnection(
      socket,
      `Host: ${hostname}\r\nAccept: application/json\r\n${authorization}`,
    );
  }

  send(
    method: string,
    path: string,
    { body = "", contentType = "application/json" }: { body?: string; contentType?: string } = {},
  ): Promise<LeanResponse> {
    const entity = body
      ? `Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
      : "";
    const answered = new Promise<LeanResponse>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${this.#headers}${entity}\r\n${body}`);
    return answered;
  }

  [Symbol.dispose](): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length > 0 ? Buffer.concat([this.#received, chunk]) : chunk;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const rest = this.#received.subarray(headEnd + HEAD_END.length);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const body = length === undefined ? unchunk(rest) : sized(rest, Number(length));
    if (!body) return;
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }
}

function sized(bytes: Buffer, length: number): Buffer | undefined {
  return bytes.length >= length ? bytes.subarray(0, length) : undefined;
}

/** The decoded body when its last chunk has arrived (RFC 9112 section 7.1). */
function unchunk(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const start = lineEnd + 2;
    if (bytes.length < start + size + 2) return undefined;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}
