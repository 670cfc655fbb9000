import { STATUS_CODES } from "node:http";
import type { TLSSocket } from "node:tls";

/** What no header may hold: it would end it, or begin another. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;

/** Header lines that every answer of a connection has. */
export type CommonLines = () => string;

/**
 * The answer to a whole request, given whole as well: a head, then everything. It is closed when
 * the socket has taken it, or when that is gone.
 */
export class WholeResponse {
  statusCode = 200;
  headersSent = false;
  destroyed = false;
  readonly #socket: TLSSocket;
  readonly #commonLines: CommonLines;
  readonly #closing: (() => void)[] = [];
  #head = "";

  constructor(socket: TLSSocket, commonLines: CommonLines) {
    this.#socket = socket;
    this.#commonLines = commonLines;
  }

  on(_event: "close", closed: () => void): void {
    this.#closing.push(closed);
  }

  /**
   * @param headers names and values, flat; the size of the body among them
   * @throws TypeError for what a header cannot hold, as `node:http`
   */
  writeHead(status: number, headers: readonly string[]): void {
    // Looked at together, as each look costs more than the text that it is at.
    if (UNSAFE.test(headers.join(" "))) {
      const name = headers[headers.findIndex((text) => UNSAFE.test(text)) & ~1];
      throw new TypeError(`Invalid character in header "${name}"`);
    }
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
    for (let at = 0; at + 1 < headers.length; at += 2) {
      head += `${headers[at]}: ${headers[at + 1]}\r\n`;
    }
    this.statusCode = status;
    this.headersSent = true;
    this.#head = `${head}${this.#commonLines()}\r\n`;
  }

  /** Text is Latin-1, as the head is, so that both are one write and one record. */
  end(body: Uint8Array | string, encoding?: "latin1"): void {
    if (this.destroyed || !this.#socket.writable) return;
    if (typeof body === "string") {
      this.#socket.write(this.#head + body, encoding, this.#written);
    } else {
      this.#socket.cork();
      this.#socket.write(this.#head, "latin1");
      this.#socket.write(body, this.#written);
      this.#socket.uncork();
    }
  }

  readonly #written = (): void => this.gone();

  /** Ends the connection, as its client would wait for the rest of an answer. */
  destroy(): void {
    if (this.destroyed) return;
    this.#socket.destroy();
    this.gone();
  }

  /** There is nobody to answer any more, or nothing. */
  gone(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    for (const closed of this.#closing) closed();
  }
}
