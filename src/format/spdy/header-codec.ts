import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { SpdyError, type SpdyHeaders } from "./frame.ts";
import { headerDictionary } from "./header-dictionary.ts";

/** Longest header block, compressed or not. */
export const HEADER_BLOCK_MAX_BYTES = 65_536;

/** Adler-32 of the dictionary, as it stands in the zlib head. */
export const DICTIONARY_ID = 0xe3_c6_a7_c2;

const WINDOW_BYTES = 32_768;
/** CMF and FLG of a zlib stream with a 32 KiB window that begins from a dictionary. */
const ZLIB_HEAD: readonly number[] = [0x78, 0xbb];
const ZLIB_HEAD_BYTES = 6;
/** The empty stored block that a sync flush ends with. */
const SYNC_MARK = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH };
const UPPER_CASE = /[A-Z]/;

/**
 * One direction's zlib context. After a sync flush the whole state of a deflate stream is the last
 * 32 KiB of its plain text: so each block is coded alone, synchronously, with those as dictionary.
 */
class Context {
  #window: Uint8Array = headerDictionary();
  #started = false;

  /** Whether this is the first block, which carries the zlib head. */
  start(): boolean {
    const first = !this.#started;
    this.#started = true;
    return first;
  }

  get window(): Uint8Array {
    return this.#window;
  }

  append(plain: Uint8Array): void {
    this.#window = Buffer.concat([this.#window, plain]).subarray(-WINDOW_BYTES);
  }
}

/** Codes the header blocks that one side sends, in their order. */
export class HeaderCompressor {
  readonly #context = new Context();

  /** @throws SpdyError when they are too long, or a name has upper case */
  compress(headers: SpdyHeaders): Uint8Array {
    const plain = encodeBlock(headers);
    const head = this.#context.start() ? zlibHead() : new Uint8Array();
    const dictionary = this.#context.window;
    const block = Buffer.concat([head, deflateRawSync(plain, { ...FLUSH, dictionary })]);
    this.#context.append(plain);
    return block;
  }
}

/** Reads the header blocks that the other side sent, in their order. */
export class HeaderDecompressor {
  readonly #context = new Context();

  /** @throws SpdyError after which the context is of no more use */
  decompress(block: Uint8Array): SpdyHeaders {
    let rest = Buffer.from(block.buffer, block.byteOffset, block.length);
    if (this.#context.start()) {
      if (!isZlibHead(rest)) {
        throw new SpdyError("header block does not start from the SPDY/3 dictionary");
      }
      rest = rest.subarray(ZLIB_HEAD_BYTES);
    }
    if (!rest.subarray(-SYNC_MARK.length).equals(SYNC_MARK)) {
      throw new SpdyError("header block does not end with a sync flush");
    }
    const plain = inflate(rest, this.#context.window);
    this.#context.append(plain);
    return decodeBlock(plain);
  }
}

function zlibHead(): Buffer {
  const head = Buffer.from([...ZLIB_HEAD, 0, 0, 0, 0]);
  head.writeUInt32BE(DICTIONARY_ID, 2);
  return head;
}

/** Compression levels and window sizes spell the first two bytes differently. */
function isZlibHead(head: Buffer): boolean {
  if (head.length < ZLIB_HEAD_BYTES || head.readUInt32BE(2) !== DICTIONARY_ID) return false;
  const [method = 0, flags = 0] = head;
  const deflates = (method & 15) === 8 && method >> 4 <= 7;
  return deflates && (flags & 0x20) !== 0 && head.readUInt16BE(0) % 31 === 0;
}

function inflate(block: Uint8Array, dictionary: Uint8Array): Uint8Array {
  try {
    const limits = { dictionary, maxOutputLength: HEADER_BLOCK_MAX_BYTES };
    return inflateRawSync(block, { ...FLUSH, ...limits });
  } catch (error) {
    throw new SpdyError(`cannot inflate header block: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function encodeBlock(headers: SpdyHeaders): Uint8Array {
  const parts: Buffer[] = [];
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    parts.push(bytes);
  };
  const text = (value: string) => {
    number(value.length);
    parts.push(Buffer.from(value, "latin1"));
  };
  number(headers.size);
  for (const [name, value] of headers) {
    if (name === "" || UPPER_CASE.test(name)) throw new SpdyError(`bad header name "${name}"`);
    text(name);
    text(value);
  }
  const block = Buffer.concat(parts);
  if (block.length <= HEADER_BLOCK_MAX_BYTES) return block;
  throw new SpdyError(`headers take ${block.length} bytes, at most ${HEADER_BLOCK_MAX_BYTES}`);
}

function decodeBlock(plain: Uint8Array): SpdyHeaders {
  const block = Buffer.from(plain.buffer, plain.byteOffset, plain.length);
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new SpdyError("header block is cut short");
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (length > block.length - at) throw new SpdyError("header block is cut short");
    at += length;
    return block.toString("latin1", at - length, at);
  };
  const headers = new Map<string, string>();
  for (let left = number(); left > 0; left--) {
    const name = text();
    if (name === "" || UPPER_CASE.test(name)) throw new SpdyError(`bad header name "${name}"`);
    if (headers.has(name)) throw new SpdyError(`header "${name}" stands twice`);
    headers.set(name, text());
  }
  if (at !== block.length) throw new SpdyError("header block has bytes after its headers");
  return headers;
}
