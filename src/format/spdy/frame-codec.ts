import { SpdyError } from "./spdy-error.ts";

const VERSION = 3;
const HEADER_BYTES = 8;
const CONTROL_MAX_BYTES = 65_536;
const FLAG_FIN = 0x01;
const STREAM_ID_MASK = 0x7fff_ffff;

/** Types of control frames (draft-mbelshe-httpbis-spdy-00, 2.6). */
const TYPES = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Why a stream was reset. */
export const RESET_CODES = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
} as const;

/** What arrives. Data comes in parts as they arrive; `fin` stands on the last part of a frame. */
export type SpdyFrame =
  | { type: "data"; streamId: number; bytes: Uint8Array; fin: boolean }
  | { type: "synStream"; streamId: number; fin: boolean; headerBlock: Uint8Array }
  | { type: "synReply"; streamId: number; fin: boolean; headerBlock: Uint8Array }
  | { type: "headers"; streamId: number; fin: boolean; headerBlock: Uint8Array }
  | { type: "reset"; streamId: number; code: number }
  | { type: "ping"; id: number }
  | { type: "goAway"; lastStreamId: number }
  | { type: "ignored"; kind: number };

function header(first: number, flags: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32BE(first >>> 0, 0);
  bytes.writeUInt32BE(((flags << 24) | length) >>> 0, 4);
  return bytes;
}

function control(type: number, flags: number, parts: readonly (number | Uint8Array)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part !== "number") return part;
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(part >>> 0);
      return bytes;
    }),
  );
  return Buffer.concat([header((0x8000 | VERSION) * 65_536 + type, flags, body.length), body]);
}

/** A data frame; at most 2^24 - 1 bytes. */
export function encodeData(streamId: number, bytes: Uint8Array, fin = false): Buffer {
  return Buffer.concat([header(streamId, fin ? FLAG_FIN : 0, bytes.length), bytes]);
}

/** Opens a stream; only clients and tests need it here. */
export function encodeSynStream(streamId: number, block: Uint8Array, fin = false): Buffer {
  const priority = new Uint8Array(2);
  return control(TYPES.synStream, fin ? FLAG_FIN : 0, [streamId, 0, priority, block]);
}

export function encodeSynReply(streamId: number, block: Uint8Array): Buffer {
  return control(TYPES.synReply, 0, [streamId, block]);
}

export function encodeReset(streamId: number, code: number): Buffer {
  return control(TYPES.reset, 0, [streamId, code]);
}

export function encodePing(id: number): Buffer {
  return control(TYPES.ping, 0, [id]);
}

export function encodeGoAway(lastStreamId: number): Buffer {
  return control(TYPES.goAway, 0, [lastStreamId, 0]);
}

interface DataState {
  streamId: number;
  leftBytes: number;
  fin: boolean;
}

/** Cuts a byte stream into frames, however it was cut before. Holds one control frame at most. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);
  #data: DataState | undefined;

  /** @throws SpdyError when the bytes are no SPDY/3; the decoder is then of no use any more */
  push(chunk: Uint8Array): SpdyFrame[] {
    const frames: SpdyFrame[] = [];
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : asBuffer(chunk);
    for (;;) {
      if (this.#data) {
        const taken = bytes.subarray(0, this.#data.leftBytes);
        if (taken.length === 0) break;
        bytes = bytes.subarray(taken.length);
        frames.push(this.#takeData(this.#data, taken));
        continue;
      }
      if (bytes.length < HEADER_BYTES) break;
      const first = bytes.readUInt32BE(0);
      const flags = bytes.readUInt8(4);
      const length = bytes.readUIntBE(5, 3);
      if (first <= STREAM_ID_MASK) {
        bytes = bytes.subarray(HEADER_BYTES);
        this.#data = { streamId: first, leftBytes: length, fin: (flags & FLAG_FIN) !== 0 };
        if (length === 0) frames.push(this.#takeData(this.#data, bytes.subarray(0, 0)));
        continue;
      }
      const version = (first >>> 16) & 0x7fff;
      if (version !== VERSION) throw new SpdyError(`SPDY version ${version} is not supported`);
      if (length > CONTROL_MAX_BYTES) throw new SpdyError(`Control frame of ${length} bytes`);
      if (bytes.length < HEADER_BYTES + length) break;
      const body = bytes.subarray(HEADER_BYTES, HEADER_BYTES + length);
      bytes = bytes.subarray(HEADER_BYTES + length);
      frames.push(decodeControl(first & 0xffff, flags, body));
    }
    // A copy, so that the rest does not keep the whole chunk alive.
    this.#rest = Buffer.from(bytes);
    return frames;
  }

  #takeData(state: DataState, bytes: Buffer): SpdyFrame {
    state.leftBytes -= bytes.length;
    const last = state.leftBytes === 0;
    if (last) this.#data = undefined;
    return { type: "data", streamId: state.streamId, bytes, fin: last && state.fin };
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function decodeControl(kind: number, flags: number, body: Buffer): SpdyFrame {
  const fin = (flags & FLAG_FIN) !== 0;
  const need = (bytes: number) => {
    if (body.length < bytes) throw new SpdyError(`Control frame ${kind} is too short`);
  };
  const id = (at: number) => body.readUInt32BE(at) & STREAM_ID_MASK;
  switch (kind) {
    case TYPES.synStream:
      need(10);
      return { type: "synStream", streamId: id(0), fin, headerBlock: body.subarray(10) };
    case TYPES.synReply:
      need(4);
      return { type: "synReply", streamId: id(0), fin, headerBlock: body.subarray(4) };
    case TYPES.headers:
      need(4);
      return { type: "headers", streamId: id(0), fin, headerBlock: body.subarray(4) };
    case TYPES.reset:
      need(8);
      return { type: "reset", streamId: id(0), code: body.readUInt32BE(4) };
    case TYPES.ping:
      need(4);
      return { type: "ping", id: body.readUInt32BE(0) };
    case TYPES.goAway:
      need(4);
      return { type: "goAway", lastStreamId: id(0) };
    default:
      return { type: "ignored", kind };
  }
}
