import {
  CONTROL_TYPE,
  FLAG_FIN,
  FLAG_UNIDIRECTIONAL,
  FRAME_HEAD_BYTES,
  SPDY_VERSION,
  SpdyError,
  type SpdyFrame,
} from "./frame.ts";
import { HEADER_BLOCK_MAX_BYTES, HeaderDecompressor } from "./header-codec.ts";

/** Longest body of a control frame: a full header block with its fixed fields. */
const CONTROL_MAX_BYTES = HEADER_BLOCK_MAX_BYTES + 10;
const ID_MASK = 0x7f_ff_ff_ff;

/** A DATA frame whose payload is still arriving. */
interface OpenData {
  streamId: number;
  fin: boolean;
  leftBytes: number;
}

/**
 * Turns bytes into frames, however they arrive. Holds at most one control frame: payloads of DATA
 * are passed on at once, as views of the chunks. Control frames of unknown types are skipped.
 */
export class FrameDecoder {
  readonly #headers = new HeaderDecompressor();
  #buffer: Buffer = Buffer.alloc(FRAME_HEAD_BYTES);
  #filledBytes = 0;
  #data: OpenData | undefined;

  /** @throws SpdyError after which the decoder is of no more use */
  *push(chunk: Uint8Array): Generator<SpdyFrame> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#data) {
        const bytes = rest.subarray(0, this.#data.leftBytes);
        rest = rest.subarray(bytes.length);
        yield this.#pieceOf(this.#data, bytes);
        continue;
      }
      const part = rest.subarray(0, this.#buffer.length - this.#filledBytes);
      this.#buffer.set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      rest = rest.subarray(part.length);
      if (this.#filledBytes < this.#buffer.length) return;
      const frame = this.#complete();
      if (frame) yield frame;
    }
  }

  #pieceOf(data: OpenData, bytes: Uint8Array): SpdyFrame {
    data.leftBytes -= bytes.length;
    const last = data.leftBytes === 0;
    if (last) this.#data = undefined;
    return { type: "data", streamId: data.streamId, fin: data.fin && last, bytes };
  }

  /** The buffer is full: of a head, whose body is then waited for, or of a control frame. */
  #complete(): SpdyFrame | undefined {
    const buffer = this.#buffer;
    const lengthBytes = buffer.readUIntBE(5, 3);
    const isControl = (buffer.readUInt8(0) & 0x80) !== 0;
    if (isControl && buffer.length < FRAME_HEAD_BYTES + lengthBytes) {
      checkHead(buffer, lengthBytes);
      this.#buffer = Buffer.alloc(FRAME_HEAD_BYTES + lengthBytes);
      this.#buffer.set(buffer);
      return undefined;
    }
    this.#buffer = Buffer.alloc(FRAME_HEAD_BYTES);
    this.#filledBytes = 0;
    if (isControl) {
      checkHead(buffer, lengthBytes);
      return decodeControl(buffer, this.#headers);
    }
    const streamId = buffer.readUInt32BE(0);
    if (streamId === 0) throw new SpdyError("DATA on stream 0");
    const data = { streamId, fin: (buffer.readUInt8(4) & FLAG_FIN) !== 0, leftBytes: lengthBytes };
    if (lengthBytes === 0) return this.#pieceOf(data, new Uint8Array());
    this.#data = data;
    return undefined;
  }
}

function checkHead(head: Buffer, lengthBytes: number): void {
  const version = head.readUInt16BE(0) & 0x7f_ff;
  if (version !== SPDY_VERSION) throw new SpdyError(`SPDY version ${version}, not 3`);
  if (lengthBytes <= CONTROL_MAX_BYTES) return;
  throw new SpdyError(`control frame of ${lengthBytes} bytes, at most ${CONTROL_MAX_BYTES}`);
}

function decodeControl(frame: Buffer, headers: HeaderDecompressor): SpdyFrame | undefined {
  const type = frame.readUInt16BE(2);
  const flags = frame.readUInt8(4);
  const fin = (flags & FLAG_FIN) !== 0;
  const body = frame.subarray(FRAME_HEAD_BYTES);
  switch (type) {
    case CONTROL_TYPE.synStream:
      atLeast(body, 10);
      return {
        type: "syn-stream",
        streamId: streamIdOf(body),
        associatedId: body.readUInt32BE(4) & ID_MASK,
        priority: body.readUInt8(8) >> 5,
        unidirectional: (flags & FLAG_UNIDIRECTIONAL) !== 0,
        fin,
        headers: headers.decompress(body.subarray(10)),
      };
    case CONTROL_TYPE.synReply:
    case CONTROL_TYPE.headers:
      atLeast(body, 4);
      return {
        type: type === CONTROL_TYPE.headers ? "headers" : "syn-reply",
        streamId: streamIdOf(body),
        fin,
        headers: headers.decompress(body.subarray(4)),
      };
    case CONTROL_TYPE.rstStream:
      exactly(body, 8);
      return { type: "rst-stream", streamId: streamIdOf(body), status: body.readUInt32BE(4) };
    case CONTROL_TYPE.settings:
      return settings(body);
    case CONTROL_TYPE.ping:
      exactly(body, 4);
      return { type: "ping", id: body.readUInt32BE(0) };
    case CONTROL_TYPE.goAway: {
      exactly(body, 8);
      const lastStreamId = body.readUInt32BE(0) & ID_MASK;
      return { type: "goaway", lastStreamId, status: body.readUInt32BE(4) };
    }
    case CONTROL_TYPE.windowUpdate: {
      exactly(body, 8);
      const [streamId, delta] = [body.readUInt32BE(0) & ID_MASK, body.readUInt32BE(4) & ID_MASK];
      return { type: "window-update", streamId, delta };
    }
    default:
      return undefined;
  }
}

function settings(body: Buffer): SpdyFrame {
  atLeast(body, 4);
  const count = body.readUInt32BE(0);
  exactly(body, 4 + 8 * count);
  const entries = Array.from({ length: count }, (_, entry) => {
    const at = 4 + 8 * entry;
    const [flags, id] = [body.readUInt8(at), body.readUIntBE(at + 1, 3)];
    return { flags, id, value: body.readUInt32BE(at + 4) };
  });
  return { type: "settings", settings: entries };
}

function streamIdOf(body: Buffer): number {
  const streamId = body.readUInt32BE(0) & ID_MASK;
  if (streamId === 0) throw new SpdyError("control frame on stream 0");
  return streamId;
}

function atLeast(body: Buffer, size: number): void {
  if (body.length < size) throw new SpdyError(`frame of ${body.length} bytes, at least ${size}`);
}

function exactly(body: Buffer, size: number): void {
  if (body.length !== size) throw new SpdyError(`frame of ${body.length} bytes, wanted ${size}`);
}
