import type { ContainerImage } from "../../api/generated/types/core-v1.ts";

/** An image that some node has. */
export interface ImageEntry {
  /** Bytes by slot. */
  sizes: Map<number, number>;
  /** Changes whenever a node gains or loses the image. */
  version: number;
}

/** Which node has which images. */
export class ImageTable {
  readonly #entries = new Map<string, ImageEntry>();
  #version = 0;
  readonly #namesBySlot = new Map<number, readonly string[]>();

  get(name: string): ImageEntry | undefined {
    return this.#entries.get(name);
  }

  set(slot: number, images: readonly ContainerImage[]): void {
    const sizes = new Map<string, number>();
    for (const { names, sizeBytes } of images) {
      for (const name of names ?? []) sizes.set(name, sizeBytes ?? 0);
    }
    for (const name of this.#namesBySlot.get(slot) ?? []) {
      const entry = this.#entries.get(name);
      if (sizes.has(name) || !entry) continue;
      entry.sizes.delete(slot);
      entry.version = ++this.#version;
      if (entry.sizes.size === 0) this.#entries.delete(name);
    }
    for (const [name, size] of sizes) {
      let entry = this.#entries.get(name);
      if (!entry) this.#entries.set(name, (entry = { sizes: new Map(), version: ++this.#version }));
      if (entry.sizes.get(slot) === size) continue;
      entry.sizes.set(slot, size);
      entry.version = ++this.#version;
    }
    if (sizes.size === 0) this.#namesBySlot.delete(slot);
    else this.#namesBySlot.set(slot, [...sizes.keys()]);
  }
}
