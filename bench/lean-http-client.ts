import { once } from "node:events";
import type { OnReadOpts } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { ResponseReader, type LeanResponse } from "./response-reader.ts";

const CLOSED = "the server closed the connection";
/** A server that says nothing for so long has failed. */
const SILENCE_MAX_MS = 60_000;
/** More than the 16 KiB of a TLS record, which is what arrives at once. */
const RECEIVED_MAX_BYTES = 32 * 1024;

/**
 * One kept-alive HTTP/1.1 connection over TLS, one request at a time, with so little work per
 * request that a load generator on the same machine does not measure itself.
 */
export class LeanConnection implements Disposable {
  readonly #socket: TLSSocket;
  readonly #headers: string;
  readonly #reader: ResponseReader;
  #receive: (bytes: Buffer) => void = (bytes) => this.#receiveAnswer(bytes);
  #waiting:
    | { resolve: (response: LeanResponse) => void; reject: (error: Error) => void }
    | undefined;

  private constructor(socket: TLSSocket, headers: string, keptMaxBytes?: number) {
    this.#socket = socket;
    this.#headers = headers;
    this.#reader = new ResponseReader(keptMaxBytes);
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error(CLOSED)));
    socket.setTimeout(SILENCE_MAX_MS, () => {
      if (this.#waiting) socket.destroy(new Error(`no answer within ${SILENCE_MAX_MS} ms`));
    });
  }

  /** Of the body of an answer, `keptMaxBytes` are kept: by default only what a message needs. */
  static async open(
    { server, caPem, certPem, keyPem, token }: HttpsTransportOptions,
    { keptMaxBytes }: { keptMaxBytes?: number } = {},
  ): Promise<LeanConnection> {
    const { hostname, port } = new URL(server);
    let receive: (bytes: Buffer) => void = () => {};
    const options: ConnectionOptions & { onread: OnReadOpts } = {
      // One buffer for all that arrives, past the events of a stream: they would cost most.
      onread: {
        buffer: Buffer.allocUnsafe(RECEIVED_MAX_BYTES),
        callback: (sizeBytes, bytes) => {
          receive((bytes as Buffer).subarray(0, sizeBytes));
          return true;
        },
      },
      host: hostname,
      port: Number(port || 443),
      ...(caPem ? { ca: caPem } : {}),
      ...(certPem && keyPem ? { cert: certPem, key: keyPem } : {}),
    };
    const socket = connect(options);
    await once(socket, "secureConnect");
    socket.setNoDelay(true);
    const authorization = token ? `Authorization: Bearer ${token}\r\n` : "";
    const connection = new LeanConnection(
      socket,
      `Host: ${hostname}\r\nAccept: application/json\r\n${authorization}`,
      keptMaxBytes,
    );
    receive = (bytes) => connection.#receive(bytes);
    return connection;
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
    let rest = "";
    const receiveLines = (bytes: Buffer): void => {
      const text = rest + bytes.toString("latin1");
      const end = text.lastIndexOf("\n") + 1;
      rest = text.slice(end);
      if (end > 0) onLines(text.slice(0, end));
    };
    const begun = new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve: () => {}, reject };
      this.#receive = (bytes) => {
        this.#receive = receiveLines;
        this.#waiting = undefined;
        resolve(bytes.toString("latin1", 0, 300));
      };
    });
    this.#socket.write(`GET ${path} HTTP/1.1\r\n${this.#headers}\r\n`);
    const head = await begun;
    if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`Cannot watch ${path}: ${head}`);
  }

  [Symbol.dispose](): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receiveAnswer(chunk: Buffer): void {
    const response = this.#reader.take(chunk);
    if (!response) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(response);
  }
}
