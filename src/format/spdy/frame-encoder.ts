import {
  CONTROL_TYPE,
  DATA_MAX_BYTES,
  FLAG_FIN,
  FLAG_UNIDIRECTIONAL,
  FRAME_HEAD_BYTES,
  SPDY_VERSION,
  SpdyError,
  type SpdyFrame,
} from "./frame.ts";
import { HeaderCompressor } from "./header-codec.ts";

/** Turns frames into bytes; one for each direction of a connection, in the order of sending. */
export class FrameEncoder {
  readonly #headers = new HeaderCompressor();

  /** @throws SpdyError when a part does not fit into its field */
  encode(frame: SpdyFrame): Uint8Array {
    switch (frame.type) {
      case "data":
        return data(frame);
      case "syn-stream": {
        const { streamId, associatedId, priority, unidirectional } = frame;
        const flags = fin(frame) | (unidirectional ? FLAG_UNIDIRECTIONAL : 0);
        const fixed = Buffer.concat([
          words(streamId, associatedId),
          Uint8Array.of(priority << 5, 0),
        ]);
        return control(CONTROL_TYPE.synStream, flags, [
          fixed,
          this.#headers.compress(frame.headers),
        ]);
      }
      case "syn-reply":
        return control(CONTROL_TYPE.synReply, fin(frame), [
          words(frame.streamId),
          this.#headers.compress(frame.headers),
        ]);
      case "headers":
        return control(CONTROL_TYPE.headers, fin(frame), [
          words(frame.streamId),
          this.#headers.compress(frame.headers),
        ]);
      case "rst-stream":
        return control(CONTROL_TYPE.rstStream, 0, [words(frame.streamId, frame.status)]);
      case "settings": {
        const entries = frame.settings.map(({ flags, id, value }) =>
          words(flags * 2 ** 24 + id, value),
        );
        return control(CONTROL_TYPE.settings, 0, [words(entries.length), ...entries]);
      }
      case "ping":
        return control(CONTROL_TYPE.ping, 0, [words(frame.id)]);
      case "goaway":
        return control(CONTROL_TYPE.goAway, 0, [words(frame.lastStreamId, frame.status)]);
      case "window-update":
        return control(CONTROL_TYPE.windowUpdate, 0, [words(frame.streamId, frame.delta)]);
    }
  }
}

function fin(frame: { fin: boolean }): number {
  return frame.fin ? FLAG_FIN : 0;
}

/** Unsigned 32-bit numbers in network order. */
function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, at) => bytes.writeUInt32BE(value, 4 * at));
  return bytes;
}

function control(type: number, flags: number, body: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt16BE(0x80_00 | SPDY_VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(
    body.reduce((size, part) => size + part.length, 0),
    5,
    3,
  );
  return Buffer.concat([head, ...body]);
}

function data(frame: SpdyFrame & { type: "data" }): Uint8Array {
  const { streamId, bytes } = frame;
  if (bytes.length > DATA_MAX_BYTES) {
    throw new SpdyError(`DATA of ${bytes.length} bytes, at most ${DATA_MAX_BYTES}`);
  }
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(fin(frame), 4);
  head.writeUIntBE(bytes.length, 5, 3);
  return Buffer.concat([head, bytes]);
}
