import { STATUS_CODES } from "node:http";
import type { TLSSocket } from "node:tls";

/** What no header may hold: it would end it, or begin another. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;

/** A head and a body up to this size are copied into one write, and one record. */
const ONE_WRITE_MAX_BYTES = 16 * 1024;

/** What the answers of many connections have in common. */
export interface CommonHead {
  /** Header lines that every answer has. */
  lines(): string;
  /** The value of each header as it was last found to be safe. */
  readonly safe: Map<string, string>;
}

/**
 * The answer to a whole request, given whole as well: a head, then everything. It is closed when
 * the socket has taken it, or when that is gone.
 */
export class WholeResponse {
  statusCode = 200;
  headersSent = false;
  destroyed = false;
  readonly #socket: TLSSocket;
  readonly #common: CommonHead;
  readonly #closing: (() => void)[] = [];
  #head = "";

  constructor(socket: TLSSocket, common: CommonHead) {
    this.#socket = socket;
    this.#common = common;
  }

  on(_event: "close", closed: () => void): void {
    this.#closing.push(closed);
  }

  /**
   * @param headers names and values, flat; the size of the body among them
   * @throws TypeError for what a header cannot hold, as `node:http`
   */
  writeHead(status: number, headers: readonly string[]): void {
    const { safe } = this.#common;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = headers[at] as string;
      const value = headers[at + 1] as string;
      // Most headers are the same in most answers, and a look costs more than the text.
      const known = safe.get(name);
      if (known !== value) {
        if ((known === undefined && UNSAFE.test(name)) || UNSAFE.test(value)) {
          throw new TypeError(`Invalid character in header "${name}"`);
        }
        safe.set(name, value);
      }
      head += `${name}: ${value}\r\n`;
    }
    this.statusCode = status;
    this.headersSent = true;
    this.#head = `${head}${this.#common.lines()}\r\n`;
  }

  end(body: Uint8Array): void {
    if (this.destroyed || !this.#socket.writable) return;
    const head = this.#head;
    if (body.byteLength <= ONE_WRITE_MAX_BYTES) {
      const whole = Buffer.allocUnsafe(head.length + body.byteLength);
      Buffer.prototype.latin1Write.call(whole, head, 0, head.length);
      whole.set(body, head.length);
      this.#socket.write(whole, this.#written);
    } else {
      this.#socket.cork();
      this.#socket.write(head, "latin1");
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
