import type { Duplex } from "node:stream";
import {
  encodeData,
  encodeGoAway,
  encodePing,
  encodeReset,
  encodeSynReply,
  FrameDecoder,
  RESET_CODES,
  type SpdyFrame,
} from "../../format/spdy/frame-codec.ts";
import {
  createHeaderDeflater,
  decodeHeaders,
  encodeHeaders,
  HeaderInflater,
} from "../../format/spdy/header-block.ts";
import { SpdyError } from "../../format/spdy/spdy-error.ts";
import { SpdyStream } from "./spdy-stream.ts";

const STREAMS_MAX = 512;

/** The server's end of a SPDY/3.1 connection; clients open the streams. */
export class SpdySession {
  readonly #transport: Duplex;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #decoder = new FrameDecoder();
  readonly #inflater = new HeaderInflater();
  readonly #deflate = createHeaderDeflater();
  readonly #closed = new AbortController();
  readonly #onStream: (stream: SpdyStream) => void;
  #lastStreamId = 0;

  /** Starts to read at once. `onStream` sees each stream that the client opened; it is answered. */
  constructor(transport: Duplex, onStream: (stream: SpdyStream) => void) {
    this.#transport = transport;
    this.#onStream = onStream;
    transport.on("error", () => this.#end());
    transport.on("close", () => this.#end());
    this.#serve().then(
      () => this.#end(),
      (error: unknown) => {
        this.#end();
        if (!(error instanceof SpdyError)) transport.destroy();
        else transport.end(encodeGoAway(this.#lastStreamId));
      },
    );
  }

  /** Aborted when the connection is gone; every stream was destroyed then. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** Says farewell after everything that was written. */
  close(): void {
    if (this.signal.aborted) return;
    this.#transport.end(encodeGoAway(this.#lastStreamId));
  }

  async #serve(): Promise<void> {
    for await (const chunk of this.#transport) {
      for (const frame of this.#decoder.push(chunk as Buffer)) await this.#handle(frame);
    }
  }

  async #handle(frame: SpdyFrame): Promise<void> {
    switch (frame.type) {
      case "synStream":
        return await this.#open(frame);
      case "data":
        return await this.#streams.get(frame.streamId)?.receive(frame.bytes, frame.fin);
      case "headers":
      case "synReply":
        // Nothing in them matters, but the blocks share one compression state.
        await this.#inflater.inflate(frame.headerBlock);
        return;
      case "reset":
        this.#streams.get(frame.streamId)?.destroy(new Error("the client reset the stream"));
        return;
      case "ping":
        // Odd numbers are the client's own; even ones would answer pings that were never sent.
        if (frame.id % 2 === 1) this.#transport.write(encodePing(frame.id));
        return;
      default:
    }
  }

  async #open(frame: Extract<SpdyFrame, { type: "synStream" }>): Promise<void> {
    const { streamId, fin } = frame;
    const headers = decodeHeaders(await this.#inflater.inflate(frame.headerBlock));
    const valid = streamId % 2 === 1 && streamId > this.#lastStreamId;
    if (!valid) throw new SpdyError(`Stream ${streamId} may not be opened now`);
    this.#lastStreamId = streamId;
    if (this.#streams.size >= STREAMS_MAX) {
      this.#transport.write(encodeReset(streamId, RESET_CODES.refusedStream));
      return;
    }
    const stream = new SpdyStream(
      {
        send: (bytes, of, done) => this.#send(encodeData(of.streamId, bytes, of.fin), done),
        reset: (id) => this.#send(encodeReset(id, RESET_CODES.cancel), () => {}),
      },
      { streamId, headers },
    );
    this.#streams.set(streamId, stream);
    stream.once("close", () => this.#streams.delete(streamId));
    this.#transport.write(encodeSynReply(streamId, this.#deflate(encodeHeaders([]))));
    if (fin) await stream.receive(new Uint8Array(0), true);
    this.#onStream(stream);
  }

  #send(frame: Uint8Array, done: () => void): void {
    if (this.#transport.destroyed || this.#transport.writableEnded) return done();
    this.#transport.write(frame, () => done());
  }

  #end(): void {
    if (this.signal.aborted) return;
    this.#closed.abort();
    for (const stream of this.#streams.values()) {
      stream.destroy(new Error("the connection is closed"));
    }
    this.#inflater[Symbol.dispose]();
  }
}
