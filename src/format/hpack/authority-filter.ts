import { decodeHuffman } from "./huffman.ts";

const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const FRAME_MAX_BYTES = 16_384;
const BLOCK_MAX_BYTES = 64 * 1024;
const HEADERS = 1;
const CONTINUATION = 9;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;
const PRIORITY_BYTES = 5;
/** Of the field ":authority" in the static table. RFC 7541, Appendix A. */
const AUTHORITY_INDEX = 1;

/** The bytes are no HTTP/2, or none that a client would send. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/**
 * Passes the bytes of an HTTP/2 client on and makes its `:authority` one that servers accept. gRPC
 * in Go before 1.34 names there the path of the Unix socket, whose slashes are no part of an
 * authority (RFC 3986, 3.2), and Node.js resets such streams. The new text is as long as the old
 * one, so that the dynamic tables of both ends stay in step.
 */
export class AuthorityFilter {
  #pending: Buffer = Buffer.alloc(0);
  #passBytes = PREFACE_BYTES;
  /** A header block that goes on in the next frame. */
  #block: { head: Buffer; parts: Buffer[]; sizeBytes: number } | undefined;

  /** Takes what came and answers with what may go on. @throws FrameError */
  push(chunk: Buffer): Buffer[] {
    const passed: Buffer[] = [];
    let bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    for (;;) {
      if (this.#passBytes > 0) {
        const part = bytes.subarray(0, this.#passBytes);
        this.#passBytes -= part.length;
        if (part.length > 0) passed.push(part);
        bytes = bytes.subarray(part.length);
      }
      if (bytes.length < FRAME_HEADER_BYTES) break;
      const lengthBytes = bytes.readUIntBE(0, 3);
      const type = bytes[3];
      if (type !== HEADERS && type !== CONTINUATION) {
        this.#passBytes = FRAME_HEADER_BYTES + lengthBytes;
        continue;
      }
      if (lengthBytes > BLOCK_MAX_BYTES) throw new FrameError("a frame of headers is too long");
      if (bytes.length < FRAME_HEADER_BYTES + lengthBytes) break;
      const frame = bytes.subarray(0, FRAME_HEADER_BYTES + lengthBytes);
      bytes = bytes.subarray(frame.length);
      passed.push(...(type === HEADERS ? this.#begin(frame) : this.#continue(frame)));
    }
    this.#pending = bytes;
    return passed;
  }

  #begin(frame: Buffer): Buffer[] {
    const flags = frame[4] ?? 0;
    let start = FRAME_HEADER_BYTES;
    let end = frame.length;
    if (flags & PADDED) end -= frame[start++] ?? 0;
    const priority = frame.subarray(start, start + (flags & PRIORITY ? PRIORITY_BYTES : 0));
    start += priority.length;
    if (end < start) throw new FrameError("a frame is shorter than its padding");
    const head = Buffer.concat([frame.subarray(0, FRAME_HEADER_BYTES), priority]);
    head[4] = flags & ~PADDED & ~END_HEADERS;
    const part = frame.subarray(start, end);
    this.#block = { head, parts: [part], sizeBytes: part.length };
    return flags & END_HEADERS ? this.#finish() : [];
  }

  #continue(frame: Buffer): Buffer[] {
    const block = this.#block;
    if (!block) throw new FrameError("headers go on that were not begun");
    const part = frame.subarray(FRAME_HEADER_BYTES);
    block.parts.push(part);
    block.sizeBytes += part.length;
    if (block.sizeBytes > BLOCK_MAX_BYTES) throw new FrameError("the headers are too long");
    return (frame[4] ?? 0) & END_HEADERS ? this.#finish() : [];
  }

  #finish(): Buffer[] {
    const block = this.#block;
    if (!block) return [];
    const { head, parts } = block;
    this.#block = undefined;
    const fields = withValidAuthority(Buffer.concat(parts));
    const priority = head.subarray(FRAME_HEADER_BYTES);
    const first = Buffer.concat([priority, fields.subarray(0, FRAME_MAX_BYTES - priority.length)]);
    const frames: Buffer[] = [first];
    for (let at = first.length - priority.length; at < fields.length; at += FRAME_MAX_BYTES) {
      frames.push(fields.subarray(at, at + FRAME_MAX_BYTES));
    }
    return frames.flatMap((payload, index) => {
      const header = Buffer.from(head.subarray(0, FRAME_HEADER_BYTES));
      header.writeUIntBE(payload.length, 0, 3);
      if (index > 0) header.set([CONTINUATION, 0], 3);
      if (index === frames.length - 1) header[4] = (header[4] ?? 0) | END_HEADERS;
      return [header, payload];
    });
  }
}

/** Rewrites a header block; its representations are those of RFC 7541, 6. @throws FrameError */
function withValidAuthority(block: Buffer): Buffer {
  const cursor = new BlockCursor(block);
  while (!cursor.ended) {
    const first = cursor.peek();
    const isIndexed = first >= 0x80;
    const isResize = !isIndexed && (first & 0xe0) === 0x20;
    if (isIndexed || isResize) {
      cursor.integer(isIndexed ? 7 : 5);
      continue;
    }
    const index = cursor.integer(first & 0x40 ? 6 : 4);
    if (index === 0) cursor.text();
    const start = cursor.at;
    const value = cursor.text();
    if (index !== AUTHORITY_INDEX) continue;
    const valid = value.toString("latin1").replaceAll(/[^\w.:[\]%~-]/g, "-");
    if (valid.length > 126) throw new FrameError("the authority is too long");
    const rewritten = Buffer.concat([Buffer.of(valid.length), Buffer.from(valid, "latin1")]);
    const rest = block.subarray(cursor.at);
    return Buffer.concat([block.subarray(0, start), rewritten, rest]);
  }
  return block;
}

class BlockCursor {
  at = 0;
  readonly #block: Buffer;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get ended(): boolean {
    return this.at >= this.#block.length;
  }

  peek(): number {
    return this.#block[this.at] ?? 0;
  }

  /** RFC 7541, 5.1. */
  integer(prefixBits: number): number {
    const mask = 2 ** prefixBits - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let scale = 1; scale <= 128 ** 3; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new FrameError("a number of the headers is too large");
  }

  /** RFC 7541, 5.2. */
  text(): Buffer {
    const isCoded = this.peek() >= 0x80;
    const lengthBytes = this.integer(7);
    if (lengthBytes > this.#block.length - this.at) throw new FrameError("the headers are cut off");
    const bytes = this.#block.subarray(this.at, this.at + lengthBytes);
    this.at += lengthBytes;
    const text = isCoded ? decodeHuffman(bytes) : bytes;
    if (!text) throw new FrameError("a text of the headers is coded wrongly");
    return text;
  }

  #byte(): number {
    if (this.ended) throw new FrameError("the headers are cut off");
    return this.#block[this.at++] ?? 0;
  }
}
