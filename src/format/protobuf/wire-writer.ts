import { BYTES, FIXED64, VARINT } from "./wire-reader.ts";

/** Writes the fields of one message. Empty text and `false` are written too: the caller decides. */
export class WireWriter {
  readonly #chunks: Uint8Array[] = [];

  text(number: number, value: string): this {
    return this.bytes(number, Buffer.from(value));
  }

  bytes(number: number, value: Uint8Array): this {
    this.#varint(number * 8 + BYTES);
    this.#varint(value.byteLength);
    this.#chunks.push(value);
    return this;
  }

  /** @param value a non-negative safe integer */
  integer(number: number, value: number): this {
    this.#varint(number * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  boolean(number: number, value: boolean): this {
    return this.integer(number, value ? 1 : 0);
  }

  double(number: number, value: number): this {
    this.#varint(number * 8 + FIXED64);
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#chunks.push(bytes);
    return this;
  }

  message(number: number, value: WireWriter): this {
    return this.bytes(number, value.finish());
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  #varint(value: number): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
    bytes.push(rest);
    this.#chunks.push(Uint8Array.from(bytes));
  }
}
