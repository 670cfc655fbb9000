import type { ServedResource } from "../resource-registry.ts";
import type { ObjectPage } from "../rest/call.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import { listMetaOf } from "./representations.ts";

const COMMA = Buffer.from(",");
const END = Buffer.from("]}\n");

/** What items take in a list, with the commas between them. */
export function itemsBytesOf(items: readonly CachedObject[]): number {
  let sizeBytes = Math.max(0, items.length - 1);
  for (const item of items) sizeBytes += item.bytes.byteLength;
  return sizeBytes;
}

/**
 * The JSON of a list, spliced from the bytes of its objects while it is read: a list that is being
 * sent needs no memory of its own beside the buffer that it is read into.
 */
export class ListText {
  readonly sizeBytes: number;
  /** Of that, what the items take with the commas between them. */
  readonly itemsBytes: number;
  readonly #head: Uint8Array;
  readonly #page: ObjectPage;
  /** What is read next, from `#offset` on; `undefined` at the end. */
  #piece: Uint8Array | undefined;
  #offset = 0;
  /** Items whose bytes were begun. */
  #begun = 0;

  /** `itemsBytes` where it is known: to add up thousands costs more than the rest of an answer. */
  constructor(
    served: ServedResource,
    page: ObjectPage,
    { itemsBytes = itemsBytesOf(page.items) }: { itemsBytes?: number } = {},
  ) {
    const head = Buffer.from(
      `{"kind":"${served.resource.kind}List","apiVersion":"${served.apiVersion}",` +
        `"metadata":${JSON.stringify(listMetaOf(page))},"items":[`,
    );
    this.#page = page;
    this.#head = head;
    this.#piece = head;
    this.itemsBytes = itemsBytes;
    this.sizeBytes = head.byteLength + itemsBytes + END.byteLength;
  }

  /** All of it in turns in one buffer: what comes is to be used before the next is asked for. */
  *chunks(buffer: Uint8Array): Generator<Uint8Array> {
    for (let sizeBytes = this.read(buffer); sizeBytes > 0; sizeBytes = this.read(buffer)) {
      yield buffer.subarray(0, sizeBytes);
    }
  }

  /** The same around the text of its items. */
  around(items: readonly Uint8Array[]): readonly Uint8Array[] {
    return [this.#head, ...items, END];
  }

  /** Writes what follows into `buffer` and tells how many bytes that was; 0 at the end. */
  read(buffer: Uint8Array): number {
    const room = buffer.length;
    let filled = 0;
    for (let piece = this.#piece; piece && filled < room; piece = this.#piece) {
      const rest = this.#offset === 0 ? piece : piece.subarray(this.#offset);
      const left = rest.length;
      if (left > room - filled) {
        buffer.set(rest.subarray(0, room - filled), filled);
        this.#offset += room - filled;
        return room;
      }
      buffer.set(rest, filled);
      filled += left;
      this.#offset = 0;
      this.#piece = this.#after(piece);
    }
    return filled;
  }

  #after(finished: Uint8Array): Uint8Array | undefined {
    if (finished === END) return undefined;
    const { items } = this.#page;
    const begun = this.#begun;
    if (begun > 0 && begun < items.length && finished !== COMMA) return COMMA;
    this.#begun++;
    return items[begun]?.bytes ?? END;
  }
}
