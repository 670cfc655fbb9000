import { BYTES, FIXED64, VARINT } from "./wire-reader.ts";

const INITIAL_BYTES = 4096;
/** Shorter texts are copied character by character, which is faster than a call. */
const SHORT_TEXT = 48;

/**
 * Writes a message from its end to its start: the length of what a field holds is then known when
 * the field's head is written, and nothing is measured or copied twice. Fields are therefore
 * written in descending order, and of each field the value before its tag.
 */
export class BackwardWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #view = viewOf(this.#buffer);
  /** Everything from here on is written. */
  #at = INITIAL_BYTES;

  /** Bytes written so far; remember it before writing what `length` is to cover. */
  get size(): number {
    return this.#buffer.length - this.#at;
  }

  /** What was written, in a buffer of its own; the writer is empty again and keeps its memory. */
  finish(): Buffer {
    const written = Buffer.from(this.#buffer.subarray(this.#at));
    this.#at = this.#buffer.length;
    return written;
  }

  /** Forgets what was written. */
  reset(): void {
    this.#at = this.#buffer.length;
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  /** Head of a length-delimited field whose content was begun when `size` was `since`. */
  head(number: number, since: number): void {
    this.varint(this.size - since);
    this.varint(number * 8 + BYTES);
  }

  /** An int32, int64, bool or enum; negative ones take ten bytes, as in Go. */
  integer(number: number, value: bigint | number): void {
    this.varint(value);
    this.varint(number * 8 + VARINT);
  }

  text(number: number, value: string): void {
    const since = this.size;
    this.#content(value);
    this.head(number, since);
  }

  bytes(number: number, value: Uint8Array): void {
    this.raw(value);
    this.varint(value.byteLength);
    this.varint(number * 8 + BYTES);
  }

  /** Bytes as they are. */
  raw(value: Uint8Array): void {
    this.#reserve(value.byteLength);
    this.#at -= value.byteLength;
    this.#buffer.set(value, this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#view.setFloat64(this.#at, value, true);
  }

  /** A fixed64; a number beyond 2^53 loses its last digits before it gets here. */
  fixed64(number: number, value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    this.varint(number * 8 + FIXED64);
  }

  varint(value: bigint | number): void {
    this.#reserve(10);
    const buffer = this.#buffer;
    if (typeof value === "number" && value >= 0 && value < 0x80) {
      buffer[--this.#at] = value;
    } else if (typeof value === "number" && value >= 0 && value < 0x4000) {
      buffer[--this.#at] = value >>> 7;
      buffer[--this.#at] = (value & 0x7f) | 0x80;
    } else this.#longVarint(value);
  }

  #longVarint(value: bigint | number): void {
    const bytes: number[] = [];
    if (typeof value === "number" && value >= 0) {
      let rest = value;
      for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
      bytes.push(rest);
    } else {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
      bytes.push(Number(rest));
    }
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  #content(value: string): void {
    if (value.length <= SHORT_TEXT) {
      this.#reserve(SHORT_TEXT);
      const buffer = this.#buffer;
      let at = this.#at;
      let index = value.length - 1;
      for (; index >= 0; index--) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) break;
        buffer[--at] = code;
      }
      if (index < 0) {
        this.#at = at;
        return;
      }
    }
    const sizeBytes = Buffer.byteLength(value);
    this.#reserve(sizeBytes);
    this.#at -= sizeBytes;
    this.#buffer.write(value, this.#at, sizeBytes);
  }

  #reserve(sizeBytes: number): void {
    if (this.#at < sizeBytes) this.#grow(sizeBytes);
  }

  #grow(sizeBytes: number): void {
    const old = this.#buffer;
    const used = old.length - this.#at;
    let capacity = old.length * 2;
    while (capacity - used < sizeBytes) capacity *= 2;
    const buffer = Buffer.allocUnsafe(capacity);
    buffer.set(old.subarray(this.#at), capacity - used);
    this.#buffer = buffer;
    this.#view = viewOf(buffer);
    this.#at = capacity - used;
  }
}

function viewOf(buffer: Uint8Array): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
