import type { Allocate } from "../../format/json-canonical.ts";

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

  /** Memory for bytes that will live long, with whatever is in it. */
  readonly allocate: Allocate = (sizeBytes) => {
    if (sizeBytes > SHARED_MAX_BYTES) return Buffer.allocUnsafeSlow(sizeBytes);
    if (this.#used + sizeBytes > this.#slab.byteLength) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += sizeBytes;
    return this.#slab.subarray(at, this.#used);
  };
}
