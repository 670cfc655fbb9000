import type { CachedObject } from "../watch-cache/cached-object.ts";
import { itemsBytesOf } from "./list-text.ts";

/** Longer lists are copied anew for each client. */
const SHARED_MAX_BYTES = 8 * 1024 * 1024;
/** So much may be held for clients that are still reading. */
const IN_USE_MAX_BYTES = 2 * SHARED_MAX_BYTES;
/**
 * One write encrypts it and hands it to the kernel in a third of a millisecond. Half of it cost a
 * list an eighth more CPU, twice as much cost the same.
 */
const PIECE_BYTES = 512 * 1024;
const COMMA = 0x2c;

/** The items of a list, separated by commas, in a few large pieces that nobody may change. */
export interface SharedPieces {
  readonly pieces: readonly Uint8Array[];
  readonly sizeBytes: number;
}

interface Known {
  readonly sizeBytes: number;
  /** Weak: nothing but memory is lost with them. */
  pieces: WeakRef<SharedPieces> | undefined;
}

/**
 * The text of collections that are listed again and again while nothing in them changes, as
 * informers that begin anew and dashboards do. A cache gives out the same array as long as its
 * collection is the same: pieces are made when an array comes for the second time, and are gone
 * once the collection has changed or the garbage collector wants their memory.
 */
export class SharedItems {
  readonly #known = new WeakMap<readonly CachedObject[], Known>();
  readonly #users = new Map<SharedPieces, number>();
  #inUseBytes = 0;

  /** What the items take with the commas between them, which is counted once for known ones. */
  sizeOf(items: readonly CachedObject[]): number {
    return this.#known.get(items)?.sizeBytes ?? itemsBytesOf(items);
  }

  /** To be given back with `release`. `undefined`: the list has to be put together. */
  take(items: readonly CachedObject[], sizeBytes: number): SharedPieces | undefined {
    const known = this.#known.get(items);
    if (!known) {
      if (sizeBytes <= SHARED_MAX_BYTES) this.#known.set(items, { sizeBytes, pieces: undefined });
      return undefined;
    }
    let shared = known.pieces?.deref();
    const users = shared && this.#users.get(shared);
    if (!users && this.#inUseBytes + sizeBytes > IN_USE_MAX_BYTES) return undefined;
    if (!shared) {
      shared = { pieces: piecesOf(items), sizeBytes };
      known.pieces = new WeakRef(shared);
    }
    if (!users) this.#inUseBytes += sizeBytes;
    this.#users.set(shared, (users ?? 0) + 1);
    return shared;
  }

  release(shared: SharedPieces): void {
    const users = (this.#users.get(shared) ?? 1) - 1;
    if (users > 0) return void this.#users.set(shared, users);
    this.#users.delete(shared);
    this.#inUseBytes -= shared.sizeBytes;
  }
}

function piecesOf(items: readonly CachedObject[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < items.length; ) {
    const from = at;
    let sizeBytes = 0;
    while (at < items.length && (at === from || sizeBytes < PIECE_BYTES)) {
      sizeBytes += (items[at++]?.bytes.byteLength ?? 0) + 1;
    }
    // No comma follows the last one.
    const isLast = at === items.length;
    const piece = Buffer.allocUnsafeSlow(isLast ? sizeBytes - 1 : sizeBytes);
    let filled = 0;
    for (const { bytes } of items.slice(from, at)) {
      piece.set(bytes, filled);
      filled += bytes.byteLength;
      if (filled < piece.byteLength) piece[filled++] = COMMA;
    }
    pieces.push(piece);
  }
  return pieces;
}
