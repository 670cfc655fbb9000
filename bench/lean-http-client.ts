import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { ResponseReader, type LeanResponse } from "./response-reader.ts";

const CLOSED = "the server closed the connection";
/** A server that says nothing for so long has failed. */
const SILENCE_MAX_MS = 60_000;

/**
 * One kept-alive HTTP/1.1 connection over TLS, one request at a time, with so little work per
 * request that a load generator on the same machine does not measure itself.
 */
export class LeanConnection implements Disposable {
  readonly #socket: TLSSocket;
  readonly #headers: string;
  readonly #reader = new ResponseReader();
  #waiting:
    | { resolve: (response: LeanResponse) => void; reject: (error: Error) => void }
    | undefined;

  private constructor(socket: TLSSocket, headers: string) {
    this.#socket = socket;
    this.#headers = headers;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error(CLOSED)));
    socket.setTimeout(SILENCE_MAX_MS, () => {
      if (this.#waiting) socket.destroy(new Error(`no answer within ${SILENCE_MAX_MS} ms`));
    });
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
    if (this.#socket.destroyed) return Promise.reject(new Error(CLOSED));
    const answered = new Promise<LeanResponse>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${this.#headers}${entity}\r\n${body}`);
    return answered;
  }

  /** Sends a GET whose answer never ends; `onLines` gets the whole lines that follow. */
  async watch(path: string, onLines: (lines: string) => void): Promise<void> {
    this.#socket.removeAllListeners("data");
    const begun = once(this.#socket, "data");
    this.#socket.write(`GET ${path} HTTP/1.1\r\n${this.#headers}\r\n`);
    const [first] = (await begun) as [Buffer];
    const head = first.toString("latin1", 0, 300);
    if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`Cannot watch ${path}: ${head}`);
    let rest = "";
    this.#socket.on("data", (bytes) => {
      const text = rest + bytes.toString("latin1");
      const end = text.lastIndexOf("\n") + 1;
      rest = text.slice(end);
      if (end > 0) onLines(text.slice(0, end));
    });
  }

  [Symbol.dispose](): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const response = this.#reader.take(chunk);
    if (!response) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(response);
  }
}
