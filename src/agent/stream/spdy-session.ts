import type { Duplex } from "node:stream";
import {
  GOAWAY_STATUS,
  INITIAL_WINDOW_BYTES,
  RESET_STATUS,
  SETTING_INITIAL_WINDOW,
  SpdyError,
  type SpdyFrame,
  type SpdyHeaders,
} from "../../format/spdy/frame.ts";
import { FrameDecoder } from "../../format/spdy/frame-decoder.ts";
import { FrameEncoder } from "../../format/spdy/frame-encoder.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import { SpdyStream, type StreamLink } from "./spdy-stream.ts";

/** Streams that the peer may have open at once. */
const STREAMS_MAX = 2048;
/** More unread bytes than this, over all streams, and the connection is read no further. */
const UNREAD_MAX_BYTES = 1 << 20;
/** Answers (to pings, to refused streams) that may wait for a peer that does not read. */
const UNSENT_ANSWERS_MAX = 1024;
/** A connection that is not read does not tell that it broke: writing to it does. */
const PROBE_INTERVAL_MS = 10_000;
/** How long a peer may take to close after this side did. */
const CLOSE_TIMEOUT_MS = 5_000;

/** How a session behaves. */
export interface SpdySessionOptions {
  /** A client opens odd streams, a server even ones. */
  role: "client" | "server";
  clock: Clock;
  /** Called for each stream that the peer opens; it accepts or resets it. */
  onStream?: (stream: SpdyStream) => void;
  /** For peers that reset streams once they have written all, as Go's spdystream does. */
  keepsUnread?: boolean;
}

/**
 * SPDY/3.1 over a connection. What a peer sends is limited by windows if it keeps to them, and by
 * not reading the connection if it does not; a peer is sent all it reads until it proves, by a
 * WINDOW_UPDATE or SETTINGS, that it keeps windows: Go's spdystream, as in kubectl, never does.
 */
export class SpdySession implements AsyncDisposable {
  /** Resolves when the connection is closed and all its streams are. */
  readonly closed: Promise<void>;
  readonly #connection: Duplex;
  readonly #options: SpdySessionOptions;
  readonly #encoder = new FrameEncoder();
  readonly #decoder = new FrameDecoder();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #accepted = new Map<number, () => void>();
  readonly #pings = new Map<number, () => void>();
  readonly #link: StreamLink;
  #writers: (() => void)[] = [];
  #windowBytes = Number.POSITIVE_INFINITY;
  #unreadBytes = 0;
  #unsentAnswers = 0;
  #nextId: number;
  #nextPing: number;
  #lastPeerId = 0;
  #timer: Timer | undefined;
  #probe: Timer | undefined;
  #ending = false;
  #broken = false;

  constructor(connection: Duplex, options: SpdySessionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#nextId = options.role === "client" ? 1 : 2;
    this.#nextPing = this.#nextId;
    this.#link = this.#createLink();
    this.closed = new Promise<void>((resolve) => {
      if (connection.closed) resolve();
      else connection.once("close", resolve);
    }).then(() => this.#forgetAll());
    connection.on("error", () => connection.destroy());
    connection.on("end", () => connection.destroy());
    connection.on("drain", () => this.#drained());
    connection.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  /** Opens a stream; `accepted` resolves when the peer agrees, rejects when it refuses. */
  open(headers: SpdyHeaders): { stream: SpdyStream; accepted: Promise<void> } {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new SpdyStream(this.#link, { id, headers });
    this.#streams.set(id, stream);
    const accepted = new Promise<void>((resolve, reject) => {
      this.#accepted.set(id, resolve);
      stream.once("close", () => {
        this.#accepted.delete(id);
        reject(new SpdyError(`stream ${id} was refused`));
      });
    });
    accepted.catch(() => {});
    const options = { associatedId: 0, priority: 0, unidirectional: false, fin: false };
    this.#send({ type: "syn-stream", streamId: id, ...options, headers });
    return { stream, accepted };
  }

  /** Resolves when the peer answered. */
  ping(): Promise<void> {
    const id = this.#nextPing;
    this.#nextPing += 2;
    return new Promise((resolve, reject) => {
      this.#pings.set(id, resolve);
      void this.closed.then(() => reject(new SpdyError("the connection is closed")));
      this.#send({ type: "ping", id });
    });
  }

  /** Says goodbye, and closes the connection when all that was written is sent. */
  close(status: number = GOAWAY_STATUS.ok): void {
    if (this.#ending || this.#connection.destroyed) return;
    this.#send({ type: "goaway", lastStreamId: this.#lastPeerId, status });
    this.#ending = true;
    this.#connection.end();
    this.#timer = this.#options.clock.setTimer(CLOSE_TIMEOUT_MS, () => this.#connection.destroy());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.destroy();
    await this.closed;
  }

  #createLink(): StreamLink {
    const windowBytes = () => this.#windowBytes;
    return {
      send: (frame) => this.#send(frame),
      whenWritable: (ready) => {
        if (this.#connection.writableNeedDrain) this.#writers.push(ready);
        else ready();
      },
      unreadChanged: (byBytes) => {
        this.#unreadBytes += byBytes;
        const isHeld = this.#connection.isPaused();
        if (this.#unreadBytes > UNREAD_MAX_BYTES && !isHeld) this.#hold();
        if (this.#unreadBytes <= UNREAD_MAX_BYTES && isHeld) this.#release();
      },
      keepsUnread: this.#options.keepsUnread ?? false,
      get initialWindowBytes() {
        return windowBytes();
      },
      closed: (stream) => void this.#streams.delete(stream.id),
    };
  }

  #hold(): void {
    this.#connection.pause();
    const probe = () => {
      this.#send({ type: "ping", id: this.#nextPing });
      this.#nextPing += 2;
      this.#probe = this.#options.clock.setTimer(PROBE_INTERVAL_MS, probe);
    };
    this.#probe = this.#options.clock.setTimer(PROBE_INTERVAL_MS, probe);
  }

  #release(): void {
    this.#probe?.cancel();
    this.#connection.resume();
  }

  #send(frame: SpdyFrame, sent?: () => void): void {
    if (this.#ending || this.#connection.destroyed) return;
    this.#connection.write(this.#encoder.encode(frame), sent);
  }

  /** An answer that the peer caused. It must read some of them before it causes more. */
  #answer(frame: SpdyFrame): void {
    this.#unsentAnswers++;
    this.#send(frame, () => void this.#unsentAnswers--);
    if (this.#unsentAnswers > UNSENT_ANSWERS_MAX) this.#connection.destroy();
  }

  #drained(): void {
    const ready = this.#writers;
    this.#writers = [];
    for (const write of ready) write();
  }

  #receive(chunk: Buffer): void {
    if (this.#broken) return;
    try {
      for (const frame of this.#decoder.push(chunk)) this.#handle(frame);
    } catch (error) {
      if (!(error instanceof SpdyError)) throw error;
      this.#broken = true;
      this.close(GOAWAY_STATUS.protocolError);
      this.#abandonStreams();
    }
  }

  #handle(frame: SpdyFrame): void {
    switch (frame.type) {
      case "data":
        if (this.#neverOpened(frame.streamId)) throw new SpdyError("DATA on no stream");
        return this.#streams.get(frame.streamId)?.receive(frame.bytes, frame.fin);
      case "syn-stream":
        return this.#opened(frame);
      case "syn-reply":
        this.#accepted.get(frame.streamId)?.();
        return this.#streams.get(frame.streamId)?.receive(new Uint8Array(), frame.fin);
      case "headers":
        return this.#streams.get(frame.streamId)?.receive(new Uint8Array(), frame.fin);
      case "rst-stream":
        return this.#streams.get(frame.streamId)?.abandon(frame.status);
      case "ping":
        if (this.#isPeers(frame.id)) return this.#answer(frame);
        this.#pings.get(frame.id)?.();
        return void this.#pings.delete(frame.id);
      case "window-update":
        return this.#windowGrew(frame);
      case "settings":
        for (const { id, value } of frame.settings) {
          if (id === SETTING_INITIAL_WINDOW) this.#keepWindows(value);
        }
        return;
      case "goaway":
        // The peer opens no more streams, and closes when those that are open have ended.
        return;
    }
  }

  #opened(frame: SpdyFrame & { type: "syn-stream" }): void {
    const { streamId, headers, fin } = frame;
    if (!this.#neverOpened(streamId) || !this.#isPeers(streamId)) {
      throw new SpdyError(`stream ${streamId} after ${this.#lastPeerId}`);
    }
    this.#lastPeerId = streamId;
    const { onStream } = this.#options;
    if (!onStream || this.#ending || this.#streams.size >= STREAMS_MAX) {
      const status = RESET_STATUS.refusedStream;
      return this.#answer({ type: "rst-stream", streamId, status });
    }
    const stream = new SpdyStream(this.#link, { id: streamId, headers });
    this.#streams.set(streamId, stream);
    onStream(stream);
    if (fin) stream.receive(new Uint8Array(), true);
  }

  /** Numbers only grow; a stream of a lower number that is not there any more has been closed. */
  #neverOpened(streamId: number): boolean {
    return this.#isPeers(streamId) ? streamId > this.#lastPeerId : streamId >= this.#nextId;
  }

  #isPeers(id: number): boolean {
    return id % 2 !== this.#nextId % 2;
  }

  #windowGrew({ streamId, delta }: { streamId: number; delta: number }): void {
    // The window of the whole connection (stream 0) is the connection's own back-pressure.
    if (streamId === 0) return;
    if (this.#windowBytes === Number.POSITIVE_INFINITY) this.#keepWindows(INITIAL_WINDOW_BYTES);
    this.#streams.get(streamId)?.windowGrew(delta);
  }

  #keepWindows(initialBytes: number): void {
    this.#windowBytes = initialBytes;
    for (const stream of this.#streams.values()) stream.windowGrew(0);
  }

  #abandonStreams(): void {
    for (const stream of this.#streams.values()) stream.abandon();
  }

  #forgetAll(): void {
    this.#timer?.cancel();
    this.#abandonStreams();
    this.#probe?.cancel();
    this.#writers = [];
  }
}
