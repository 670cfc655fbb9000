import { Duplex } from "node:stream";
import type { SpdyHeaders } from "../../format/spdy/header-block.ts";

/** Bytes that a stream buffers before it holds up the whole connection. */
const BUFFER_MAX_BYTES = 1024 * 1024;
const FRAME_MAX_BYTES = 32_768;

/** What a stream asks of its connection. */
export interface SpdyStreamOwner {
  /** Sends data; calls back when there is room for more. */
  send(bytes: Uint8Array, of: { streamId: number; fin: boolean }, done: () => void): void;
  reset(streamId: number): void;
}

/** One stream of a connection: closes each direction on its own. */
export class SpdyStream extends Duplex {
  readonly streamId: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly #owner: SpdyStreamOwner;
  #finished = false;
  #roomAgain: (() => void) | undefined;

  constructor(owner: SpdyStreamOwner, of: { streamId: number; headers: SpdyHeaders }) {
    super({ allowHalfOpen: true, readableHighWaterMark: BUFFER_MAX_BYTES });
    this.#owner = owner;
    this.streamId = of.streamId;
    this.headers = new Map(of.headers);
    // Whoever pipes it handles errors; a stream that nobody uses yet must not end the process.
    this.on("error", () => {});
  }

  /** Hands over what arrived; resolves when there is room for more. */
  receive(bytes: Uint8Array, fin: boolean): Promise<void> {
    if (this.destroyed || this.readableEnded) return Promise.resolve();
    const room = bytes.length === 0 || this.push(bytes);
    if (fin) this.push(null);
    if (room || fin) return Promise.resolve();
    return new Promise((resolve) => {
      this.#roomAgain = resolve;
    });
  }

  override _read(): void {
    this.#release();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const { streamId } = this;
    for (let at = 0; at < chunk.length || at === 0; at += FRAME_MAX_BYTES) {
      const part = chunk.subarray(at, at + FRAME_MAX_BYTES);
      const last = at + FRAME_MAX_BYTES >= chunk.length;
      this.#owner.send(part, { streamId, fin: false }, last ? done : () => {});
    }
  }

  override _final(done: () => void): void {
    this.#finished = true;
    const { streamId } = this;
    this.#owner.send(new Uint8Array(0), { streamId, fin: true }, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#release();
    if (!this.#finished || !this.readableEnded) this.#owner.reset(this.streamId);
    done(error);
  }

  #release(): void {
    this.#roomAgain?.();
    this.#roomAgain = undefined;
  }
}
