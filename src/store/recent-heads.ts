import type { StoredObject } from "./store.ts";

/** Of one generation. */
const ENTRIES_MAX = 1_024;
const BYTES_MAX = 1 << 20;

/**
 * Durable values that were read for an update or written lately, by slot: what is read, changed
 * and written within a moment is looked up once. When as many are new as there is room for, those
 * that were new before are forgotten: a map that loses its oldest entry one by one gets slow.
 */
export class RecentHeads {
  #young = new Map<string, StoredObject>();
  #old = new Map<string, StoredObject>();
  #youngBytes = 0;

  get(slot: string): StoredObject | undefined {
    return this.#young.get(slot) ?? this.#old.get(slot);
  }

  set(slot: string, object: StoredObject): void {
    const known = this.#young.get(slot);
    this.#young.set(slot, object);
    this.#youngBytes += object.bytes.byteLength - (known?.bytes.byteLength ?? 0);
    if (this.#young.size < ENTRIES_MAX && this.#youngBytes < BYTES_MAX) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }

  delete(slot: string): void {
    this.#youngBytes -= this.#young.get(slot)?.bytes.byteLength ?? 0;
    this.#young.delete(slot);
    this.#old.delete(slot);
  }
}
