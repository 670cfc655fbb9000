import type { Duplex } from "node:stream";
import {
  encodeData,
  encodePing,
  encodeReset,
  encodeSynStream,
  FrameDecoder,
  RESET_CODES,
} from "../../format/spdy/frame-codec.ts";
import {
  createHeaderDeflater,
  encodeHeaders,
  HeaderInflater,
} from "../../format/spdy/header-block.ts";

/** What a test client saw of one stream. */
export interface ClientStream {
  readonly id: number;
  /** Text that arrived so far. */
  text: string;
  /** Resolves with all text when the server finished or reset the stream. */
  readonly ended: Promise<string>;
  wasReset: boolean;
  write(text: string): void;
  /** Half-closes. */
  end(): void;
  reset(): void;
}

/** A SPDY/3.1 client as small as tests need it. */
export interface SpdyClient {
  open(headers: Record<string, string>): ClientStream;
  /** Resolves with the id of the next ping that came back. */
  ping(id: number): Promise<number>;
  readonly replies: Set<number>;
  readonly closed: Promise<void>;
  destroy(): void;
}

/** Speaks SPDY over a connection that was upgraded. */
export function createSpdyClient(transport: Duplex): SpdyClient {
  const deflate = createHeaderDeflater();
  const inflater = new HeaderInflater();
  const streams = new Map<number, ClientStream & { finish(): void }>();
  const replies = new Set<number>();
  const pings: ((id: number) => void)[] = [];
  let nextId = 1;
  const decoder = new FrameDecoder();
  transport.on("error", () => {});
  transport.on("data", (chunk: Buffer) => {
    for (const frame of decoder.push(chunk)) {
      if (frame.type === "data") {
        const stream = streams.get(frame.streamId);
        if (!stream) continue;
        stream.text += Buffer.from(frame.bytes).toString();
        if (frame.fin) stream.finish();
      } else if (frame.type === "reset") {
        const stream = streams.get(frame.streamId);
        if (stream) stream.wasReset = true;
        stream?.finish();
      } else if (frame.type === "synReply") {
        replies.add(frame.streamId);
        inflater.inflate(frame.headerBlock).catch(() => {});
      } else if (frame.type === "ping") pings.shift()?.(frame.id);
    }
  });
  const closed = new Promise<void>((resolve) => {
    transport.once("close", () => {
      inflater[Symbol.dispose]();
      for (const stream of streams.values()) stream.finish();
      resolve();
    });
  });
  return {
    replies,
    closed,
    destroy: () => void transport.destroy(),
    ping: (id) =>
      new Promise((resolve) => {
        pings.push(resolve);
        transport.write(encodePing(id));
      }),
    open: (headers) => {
      const id = nextId;
      nextId += 2;
      let finish: () => void = () => {};
      const ended = new Promise<string>((resolve) => {
        finish = () => resolve(stream.text);
      });
      const stream = {
        id,
        text: "",
        ended,
        wasReset: false,
        finish: () => finish(),
        write: (text: string) => void transport.write(encodeData(id, Buffer.from(text))),
        end: () => void transport.write(encodeData(id, new Uint8Array(0), true)),
        reset: () => void transport.write(encodeReset(id, RESET_CODES.cancel)),
      };
      streams.set(id, stream);
      transport.write(encodeSynStream(id, deflate(encodeHeaders(Object.entries(headers)))));
      return stream;
    },
  };
}
