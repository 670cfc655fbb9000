import { Duplex } from "node:stream";
import {
  INITIAL_WINDOW_BYTES,
  RESET_STATUS,
  type SpdyFrame,
  type SpdyHeaders,
} from "../../format/spdy/frame.ts";

/**
 * Half a window: a stream that holds less has a read outstanding and its sender some window left, a
 * stream that holds more asks to be read. So no reader waits for a sender that waits for a window.
 */
const UNREAD_HIGH_WATER_BYTES = INITIAL_WINDOW_BYTES / 2;
const DATA_FRAME_BYTES = 32_768;

/** What a stream needs of its connection. */
export interface StreamLink {
  send(frame: SpdyFrame): void;
  /** Calls back when the connection takes more. */
  whenWritable(ready: () => void): void;
  /** The stream holds so many unread bytes more, or less. */
  unreadChanged(byBytes: number): void;
  /** The window that the peer grants each stream; Infinity when it keeps no windows. */
  readonly initialWindowBytes: number;
  /**
   * The peer resets streams and closes once it has written all: what came is still to be read, and
   * it is told of no windows, as what it has not read by then would reset the connection.
   */
  readonly keepsUnread: boolean;
  closed(stream: SpdyStream): void;
}

/**
 * One stream of a connection: bytes both ways, each direction ended on its own. A reset by the peer
 * closes it without an error: `resetStatus` tells, and no "end" comes.
 */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  /** Of RST_STREAM, once the peer sent it. */
  resetStatus: number | undefined;
  readonly #link: StreamLink;
  /** Bytes sent so far, and how many of them the peer has taken from its window. */
  #sentBytes = 0;
  #grantedBytes = 0;
  #unsent: { bytes: Buffer; done: () => void } | undefined;
  #unreadBytes = 0;
  #consumedBytes = 0;
  #localEnd = false;
  #remoteEnd = false;
  #silent = false;

  constructor(link: StreamLink, { id, headers }: { id: number; headers: SpdyHeaders }) {
    super({
      readableHighWaterMark: UNREAD_HIGH_WATER_BYTES,
      writableHighWaterMark: INITIAL_WINDOW_BYTES,
    });
    this.#link = link;
    this.id = id;
    this.headers = headers;
    // Whoever uses a stream learns from "close" that it broke.
    this.on("error", () => {});
  }

  /** Agrees to a stream that the peer opened. */
  accept(): void {
    this.#link.send({ type: "syn-reply", streamId: this.id, fin: false, headers: new Map() });
  }

  /** Ends both directions at once. */
  reset(status: number): void {
    if (this.destroyed) return;
    this.#silent = true;
    this.#link.send({ type: "rst-stream", streamId: this.id, status });
    this.destroy();
  }

  /** Bytes of the peer. */
  receive(bytes: Uint8Array, fin: boolean): void {
    if (this.destroyed || this.#remoteEnd) return;
    if (bytes.length > 0) {
      this.push(bytes);
      this.#countUnread(bytes.length);
    }
    if (!fin) return;
    this.#remoteEnd = true;
    this.push(null);
  }

  /** The peer ended both directions, or the connection is gone. */
  abandon(status?: number): void {
    this.#silent = true;
    this.resetStatus = status;
    if (!this.#link.keepsUnread || this.readableLength === 0) return void this.destroy();
    this.once("end", () => this.destroy());
    if (!this.#remoteEnd) this.push(null);
    this.#remoteEnd = true;
  }

  /** The peer consumed bytes, or changed the window that streams start with. */
  windowGrew(byBytes: number): void {
    this.#grantedBytes += byBytes;
    this.#flush();
  }

  override read(sizeBytes?: number): Buffer | null {
    const chunk = super.read(sizeBytes) as Buffer | null;
    this.#countUnread(0);
    return chunk;
  }

  override _read(): void {
    // Bytes come as the peer sends them; `read` counts what was taken.
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#unsent = { bytes, done };
    this.#flush();
  }

  override _final(done: () => void): void {
    this.#localEnd = true;
    this.#link.send({ type: "data", streamId: this.id, fin: true, bytes: new Uint8Array() });
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#silent && !(this.#localEnd && this.#remoteEnd)) {
      const status = error ? RESET_STATUS.internalError : RESET_STATUS.cancel;
      this.#link.send({ type: "rst-stream", streamId: this.id, status });
    }
    this.#link.unreadChanged(-this.#unreadBytes);
    this.#unreadBytes = 0;
    this.#unsent = undefined;
    this.#link.closed(this);
    done(error);
  }

  #flush(): void {
    const unsent = this.#unsent;
    if (!unsent) return;
    const window = () => this.#link.initialWindowBytes + this.#grantedBytes - this.#sentBytes;
    while (unsent.bytes.length > 0 && window() > 0) {
      const bytes = unsent.bytes.subarray(0, Math.min(DATA_FRAME_BYTES, window()));
      unsent.bytes = unsent.bytes.subarray(bytes.length);
      this.#sentBytes += bytes.length;
      this.#link.send({ type: "data", streamId: this.id, fin: false, bytes });
    }
    // Sending may have let an update of the window in, which then did the rest.
    if (unsent.bytes.length > 0 || this.#unsent !== unsent) return;
    this.#unsent = undefined;
    this.#link.whenWritable(unsent.done);
  }

  /** Told after each arrival and each reading; what was read since widens the window. */
  #countUnread(arrivedBytes: number): void {
    if (this.destroyed) return;
    const held = this.readableLength;
    this.#consumedBytes += this.#unreadBytes + arrivedBytes - held;
    this.#link.unreadChanged(held - this.#unreadBytes);
    this.#unreadBytes = held;
    if (this.#link.keepsUnread || this.#remoteEnd) return;
    if (this.#consumedBytes < UNREAD_HIGH_WATER_BYTES) return;
    this.#link.send({ type: "window-update", streamId: this.id, delta: this.#consumedBytes });
    this.#consumedBytes = 0;
  }
}
