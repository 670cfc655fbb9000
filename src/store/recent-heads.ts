import type { StoredObject } from "./store.ts";

const ENTRIES_MAX = 2_048;
const BYTES_MAX = 2 << 20;

/**
 * Durable values that were read for an update or written lately, by slot: what is read, changed
 * and written within a moment is looked up once. The oldest make room.
 */
export class RecentHeads {
  readonly #objects = new Map<string, StoredObject>();
  #sizeBytes = 0;

  get(slot: string): StoredObject | undefined {
    return this.#objects.get(slot);
  }

  set(slot: string, object: StoredObject): void {
    this.delete(slot);
    this.#objects.set(slot, object);
    this.#sizeBytes += object.bytes.byteLength;
    if (this.#objects.size <= ENTRIES_MAX && this.#sizeBytes <= BYTES_MAX) return;
    for (const oldest of this.#objects.keys()) {
      this.delete(oldest);
      if (this.#objects.size <= ENTRIES_MAX && this.#sizeBytes <= BYTES_MAX) return;
    }
  }

  delete(slot: string): void {
    const known = this.#objects.get(slot);
    if (!known) return;
    this.#objects.delete(slot);
    this.#sizeBytes -= known.bytes.byteLength;
  }
}
