import type { ServedResource } from "../resource-registry.ts";
import type { ObjectPage } from "../rest/call.ts";
import { listMetaOf } from "./representations.ts";

const COMMA = Buffer.from(",");
const END = Buffer.from("]}\n");

/**
 * The JSON of a list, spliced from the bytes of its objects while it is read: a list that is being
 * sent needs no memory of its own beside the buffer that it is read into.
 */
export class ListText {
  readonly sizeBytes: number;
  readonly #page: ObjectPage;
  /** What is read next, from `#offset` on; `undefined` at the end. */
  #piece: Uint8Array | undefined;
  #offset = 0;
  /** Items whose bytes were begun. */
  #begun = 0;

  constructor(served: ServedResource, page: ObjectPage) {
    const head = Buffer.from(
      `{"kind":"${served.resource.kind}List","apiVersion":"${served.apiVersion}",` +
        `"metadata":${JSON.stringify(listMetaOf(page))},"items":[`,
    );
    this.#page = page;
    this.#piece = head;
    let sizeBytes = head.byteLength + END.byteLength + Math.max(0, page.items.length - 1);
    for (const item of page.items) sizeBytes += item.bytes.byteLength;
    this.sizeBytes = sizeBytes;
  }

  /** Writes what follows into `buffer` and tells how many bytes that was; 0 at the end. */
  read(buffer: Uint8Array): number {
    let filled = 0;
    while (this.#piece && filled < buffer.byteLength) {
      const whole = this.#piece;
      const from = this.#offset;
      const taken = Math.min(whole.byteLength - from, buffer.byteLength - filled);
      const part = taken === whole.byteLength ? whole : whole.subarray(from, from + taken);
      buffer.set(part, filled);
      filled += taken;
      this.#offset += taken;
      if (this.#offset === whole.byteLength) this.#next(whole);
    }
    return filled;
  }

  #next(finished: Uint8Array): void {
    this.#offset = 0;
    if (finished === END) {
      this.#piece = undefined;
      return;
    }
    const { items } = this.#page;
    const needsComma = this.#begun > 0 && this.#begun < items.length && finished !== COMMA;
    this.#piece = needsComma ? COMMA : (items[this.#begun]?.bytes ?? END);
    if (!needsComma) this.#begun++;
  }
}
