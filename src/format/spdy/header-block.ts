import { constants, createInflate, type Inflate } from "node:zlib";
import { headerDictionary } from "./header-dictionary.ts";
import { SpdyError } from "./spdy-error.ts";

const BLOCK_MAX_BYTES = 65_536;
const STORED_MAX_BYTES = 65_535;
/** An empty stored block: Go's inflate hands a block over only when it meets one. */
const SYNC_FLUSH = Uint8Array.of(0, 0, 0, 0xff, 0xff);

/** Header names (lower case) and values, in order. */
export type SpdyHeaders = readonly (readonly [name: string, value: string])[];

/** The decompressed form: count, then length-prefixed names and values. */
export function encodeHeaders(headers: SpdyHeaders): Uint8Array {
  const parts: Buffer[] = [];
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    parts.push(bytes);
  };
  number(headers.length);
  for (const [name, value] of headers) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text, "latin1");
      number(bytes.length);
      parts.push(bytes);
    }
  }
  return Buffer.concat(parts);
}

/** Reads the decompressed form; several values of a name are separated by NUL. @throws SpdyError */
export function decodeHeaders(bytes: Uint8Array): SpdyHeaders {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const number = () => {
    if (at + 4 > view.length) throw new SpdyError("Header block is cut off");
    at += 4;
    return view.readUInt32BE(at - 4);
  };
  const text = () => {
    const length = number();
    if (at + length > view.length) throw new SpdyError("Header block is cut off");
    at += length;
    return view.toString("latin1", at - length, at);
  };
  const headers: [string, string][] = [];
  const count = number();
  // Each header takes at least eight bytes, so that a huge count cannot spin here.
  if (count * 8 > view.length) throw new SpdyError(`Header block claims ${count} headers`);
  for (let left = count; left > 0; left--) {
    const name = text().toLowerCase();
    for (const value of text().split("\0")) headers.push([name, value]);
  }
  return headers;
}

/**
 * Compresses header blocks of one connection into stored deflate blocks: they need no state, reveal
 * nothing by their size (CRIME), and headers here are tiny.
 */
export function createHeaderDeflater(): (block: Uint8Array) => Uint8Array {
  let begun = false;
  return (block) => {
    if (block.length > STORED_MAX_BYTES) throw new SpdyError("Header block is too long");
    const head = begun ? Buffer.alloc(5) : Buffer.from([0x78, 0x01, 0, 0, 0, 0, 0]);
    const at = begun ? 0 : 2;
    head.writeUInt16LE(block.length, at + 1);
    head.writeUInt16LE(~block.length & 0xffff, at + 3);
    begun = true;
    return Buffer.concat([head, block, SYNC_FLUSH]);
  };
}

/** Decompresses the header blocks of one connection, which share one zlib stream. */
export class HeaderInflater implements Disposable {
  readonly #inflate: Inflate = createInflate({
    dictionary: headerDictionary(),
    flush: constants.Z_SYNC_FLUSH,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  #failure: Error | undefined;
  #parts: Buffer[] = [];
  #sizeBytes = 0;
  #fail: (error: Error) => void = () => {};

  constructor() {
    this.#inflate.on("error", (error) => this.#stop(error));
    this.#inflate.on("data", (part: Buffer) => {
      this.#sizeBytes += part.length;
      if (this.#sizeBytes > BLOCK_MAX_BYTES) this.#stop(new Error("the block is too long"));
      else this.#parts.push(part);
    });
  }

  /** One block at a time; blocks must come in the order of the wire. @throws SpdyError */
  inflate(block: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) =>
        reject(new SpdyError(`Cannot decompress headers: ${error.message}`));
      if (this.#failure) return fail(this.#failure);
      this.#parts = [];
      this.#sizeBytes = 0;
      this.#fail = fail;
      this.#inflate.write(block, (error) => {
        if (error) fail(error);
        else resolve(Buffer.concat(this.#parts));
      });
    });
  }

  [Symbol.dispose](): void {
    this.#inflate.destroy();
  }

  #stop(error: Error): void {
    this.#failure ??= error;
    this.#fail(error);
    this.#inflate.destroy();
  }
}
