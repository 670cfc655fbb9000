import { PassThrough, Writable } from "node:stream";
import type { RawData, WebSocket } from "ws";

/** Frames of numbered channels: the first byte, or base64 digit, of a message is the channel. */
export interface ChannelCodec {
  encode(channel: number, bytes: Uint8Array): Uint8Array | string;
  decode(message: Buffer): { channel: number; bytes: Buffer } | undefined;
}

const BINARY: ChannelCodec = {
  encode: (channel, bytes) => Buffer.concat([Uint8Array.of(channel), bytes]),
  decode: (message) =>
    message.length === 0
      ? undefined
      : { channel: message.readUInt8(0), bytes: message.subarray(1) },
};

const BASE64: ChannelCodec = {
  encode: (channel, bytes) => `${channel}${Buffer.from(bytes).toString("base64")}`,
  decode: (message) => {
    const digit = message.toString("latin1", 0, 1);
    if (!/^\d$/.test(digit)) return undefined;
    return { channel: Number(digit), bytes: Buffer.from(message.toString("latin1", 1), "base64") };
  },
};

/** The codec of a subprotocol: "v4.base64.channel.k8s.io" is text, the others are binary. */
export function channelCodec(protocol: string): ChannelCodec {
  return protocol.includes("base64.") ? BASE64 : BINARY;
}

/** The bytes of a message, whichever way the library hands them over. */
export function messageBytes(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** Turns writes into messages of one channel, at the pace of the connection. */
export function channelWriter(
  socket: WebSocket,
  of: { codec: ChannelCodec; channel: number },
): Writable {
  const writer = new Writable({
    highWaterMark: 65_536,
    write: (chunk: Buffer, _encoding, done) => {
      if (socket.readyState !== socket.OPEN) return done();
      socket.send(of.codec.encode(of.channel, chunk), () => done());
    },
  });
  socket.once("close", () => writer.destroy());
  return writer;
}

/** A readable side of a channel; the connection pauses while nobody reads it. */
export function channelReader(socket: WebSocket): PassThrough {
  const reader = new PassThrough({ highWaterMark: 1024 * 1024 });
  reader.on("drain", () => socket.resume());
  reader.on("error", () => {});
  socket.once("close", () => reader.end());
  return reader;
}

/** Hands over what arrived and pauses the connection when the reader is full. */
export function feed(socket: WebSocket, of: { reader: PassThrough; bytes: Uint8Array }): void {
  const { reader, bytes } = of;
  if (reader.writableEnded || bytes.length === 0) return;
  if (!reader.write(bytes)) socket.pause();
}
