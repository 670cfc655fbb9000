const SLAB_BYTES = 8 * 1024;
/** Larger ones get memory of their own. */
const SHARED_MAX_BYTES = SLAB_BYTES / 4;

/**
 * Keeps bytes that live long apart from those that do not: in the pool of Node.js a state of an
 * object would hold on to whatever passing buffers share its slab. Slabs are small, as one lives
 * as long as the last state in it.
 */
export class ByteArena {
  #slab = Buffer.alloc(0);
  #used = 0;

  /** A copy. */
  keep(bytes: Uint8Array): Uint8Array {
    const sizeBytes = bytes.byteLength;
    if (sizeBytes > SHARED_MAX_BYTES) {
      const alone = Buffer.allocUnsafeSlow(sizeBytes);
      alone.set(bytes);
      return alone;
    }
    if (this.#used + sizeBytes > this.#slab.byteLength) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    const kept = this.#slab.subarray(this.#used, this.#used + sizeBytes);
    kept.set(bytes);
    this.#used += sizeBytes;
    return kept;
  }
}
