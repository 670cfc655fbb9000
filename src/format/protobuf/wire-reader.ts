/** The bytes are no protobuf message. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

/** How a field's value is laid out. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** A cursor over one message (protobuf.dev, "Encoding"). Views share the input's memory. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  /** Of the field that `next` met last. */
  number = 0;
  wireType = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves to the next field; false at the end. @throws ProtobufError */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const tag = Number(this.varint());
    this.number = tag >>> 3;
    this.wireType = tag & 7;
    if (this.number === 0) throw new ProtobufError("a field has the number 0");
    return true;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** An unsigned 64-bit varint; a `number` where that is exact. */
  varint(): bigint | number {
    let low = 0;
    let scale = 1;
    for (let count = 0; count < 7; count++) {
      const byte = this.#byte();
      low += (byte & 0x7f) * scale;
      if (byte < 0x80) return low;
      scale *= 128;
    }
    let wide = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      wide |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, wide);
    }
    throw new ProtobufError("a varint is longer than 10 bytes");
  }

  /** A varint as the two's complement that Go writes for int32 and int64. */
  signed(): bigint | number {
    const value = this.varint();
    if (typeof value === "number") return value;
    const signed = BigInt.asIntN(64, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  double(): number {
    const at = this.#take(8);
    return this.#view.getFloat64(at, true);
  }

  /** A fixed64 as the nearest number. */
  fixed64(): number {
    if (this.wireType !== FIXED64) {
      throw new ProtobufError(`field ${this.number} has the wrong wire type ${this.wireType}`);
    }
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** The content of a length-delimited field. */
  bytes(): Uint8Array {
    if (this.wireType !== BYTES) {
      throw new ProtobufError(`field ${this.number} has the wrong wire type ${this.wireType}`);
    }
    const size = Number(this.varint());
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  text(): string {
    const bytes = this.bytes();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  }

  /** Passes over the value of the field that `next` met. */
  skip(): void {
    if (this.wireType === VARINT) this.varint();
    else if (this.wireType === FIXED64) this.#take(8);
    else if (this.wireType === BYTES) this.bytes();
    else if (this.wireType === FIXED32) this.#take(4);
    else throw new ProtobufError(`the wire type ${this.wireType} is not known`);
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.#bytes.length - at) throw new ProtobufError("the message is cut off");
    this.#at = at + size;
    return at;
  }
}
