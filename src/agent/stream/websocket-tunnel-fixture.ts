import { Duplex } from "node:stream";

const BINARY = 0x82;
const MASKED = 0x80;

/** The length bytes of a frame (RFC 6455 section 5.2). */
function lengthBytes(length: number): Buffer {
  if (length < 126) return Buffer.from([MASKED | length]);
  const bytes = Buffer.alloc(3);
  bytes.writeUInt8(MASKED | 126);
  bytes.writeUInt16BE(length, 1);
  return bytes;
}

/** Cuts whole server frames off the front: their payloads and what is left. */
function cutFrames(bytes: Buffer): { payloads: Buffer[]; rest: Buffer } {
  const payloads: Buffer[] = [];
  let rest = bytes;
  while (rest.length >= 2) {
    const short = rest.readUInt8(1);
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (rest.length < head) break;
    const length =
      short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    if (rest.length < head + length) break;
    if (rest.readUInt8(0) === BINARY) payloads.push(rest.subarray(head, head + length));
    rest = rest.subarray(head + length);
  }
  return { payloads, rest };
}

/** A client's end of binary messages as one stream of bytes, over an upgraded connection. */
export function createWebSocketTunnel(socket: Duplex): Duplex {
  let pending = Buffer.alloc(0);
  const tunnel = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      const mask = Buffer.alloc(4);
      socket.write(Buffer.concat([Uint8Array.of(BINARY), lengthBytes(chunk.length), mask, chunk]));
      done();
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    const { payloads, rest } = cutFrames(Buffer.concat([pending, chunk]));
    pending = Buffer.from(rest);
    for (const payload of payloads) tunnel.push(payload);
  });
  socket.on("error", () => {});
  socket.once("close", () => tunnel.destroy());
  return tunnel;
}
