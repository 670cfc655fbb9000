import type { Version } from "../backend.ts";
import { encodeVersion, VALUE_HEADER_BYTES } from "./version-codec.ts";

const SLAB_BYTES = 256 * 1024;
/** As much as a load of small writes fills between two moves into the tree, about. */
const FREE_MAX = 6;

/** A version whose bytes last until it is forgotten, and no longer. */
export interface RecentVersion extends Version {
  /** As the tree stores it. */
  readonly value: Buffer;
}

interface Slab {
  memory: Buffer;
  usedBytes: number;
  /** Revision of the last version in it. */
  newest: number;
}

/**
 * The values of recent versions, in memory that is used again and again. They live too long to die
 * young: left to the collector, all that is ever written would wait for it in the old generation.
 */
export class RecentValues {
  /** Oldest first; the last one is being filled. */
  readonly #slabs: Slab[] = [];
  readonly #free: Buffer[] = [];

  /** Copies the value of a version that is newer than all before. */
  keep(version: Version): RecentVersion {
    const { resource, key, revision, createRevision, bytes } = version;
    const allocate = (sizeBytes: number) => this.#allocate(sizeBytes, revision);
    const value = encodeVersion(version, allocate);
    const kept = bytes && value.subarray(VALUE_HEADER_BYTES);
    return { resource, key, revision, createRevision, bytes: kept, value };
  }

  /** Nobody reads versions with revision <= `revision` any more: their memory is free. */
  forget(revision: number): void {
    const end = this.#slabs.findIndex((slab) => slab.newest > revision);
    for (const { memory } of this.#slabs.splice(0, end < 0 ? this.#slabs.length : end)) {
      if (this.#free.length < FREE_MAX) this.#free.push(memory);
    }
  }

  #allocate(sizeBytes: number, revision: number): Buffer {
    if (sizeBytes > SLAB_BYTES) return Buffer.allocUnsafeSlow(sizeBytes);
    let slab = this.#slabs.at(-1);
    if (!slab || slab.usedBytes + sizeBytes > SLAB_BYTES) {
      const memory = this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
      slab = { memory, usedBytes: 0, newest: 0 };
      this.#slabs.push(slab);
    }
    const at = slab.usedBytes;
    slab.usedBytes += sizeBytes;
    slab.newest = revision;
    return slab.memory.subarray(at, slab.usedBytes);
  }
}

/** A version that stays what it is when this one is forgotten. */
export function lasting(version: Version): Version {
  const { resource, key, revision, createRevision, bytes } = version;
  return { resource, key, revision, createRevision, bytes: bytes && Buffer.from(bytes) };
}
