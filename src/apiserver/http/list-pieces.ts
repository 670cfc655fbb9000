import type { Query } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { ObjectPage } from "../rest/call.ts";
import type { ListText } from "./list-text.ts";
import type { Representation } from "./negotiation.ts";
import { metadataListOf, metadataOf } from "./representations.ts";
import { tableOfList } from "./table.ts";

/** Lists of more objects are made while they are sent, as a table or of metadata, too. */
export const LONG_LIST_MIN = 500;
/** So many objects are parsed for one piece. */
const ITEMS_A_PIECE = 100;
const TEXT_PIECE_BYTES = 64 * 1024;

/** How to make the pieces of a list. */
export interface PiecesOptions {
  representation: Representation;
  query: Query;
  /** Epoch milliseconds, for the ages in tables. */
  nowMs: number;
}

/** The text of a list in buffers that a slow consumer may keep. */
export function* piecesOfText(text: ListText): Generator<Uint8Array> {
  for (;;) {
    const buffer = Buffer.allocUnsafe(TEXT_PIECE_BYTES);
    const sizeBytes = text.read(buffer);
    if (sizeBytes === 0) return;
    yield buffer.subarray(0, sizeBytes);
  }
}

/**
 * The JSON of a list as a table or of metadata. Only the objects of one piece are parsed at a
 * time: a client that reads slowly costs no more than a fast one.
 */
export function* listPieces(
  served: ServedResource,
  page: ObjectPage,
  options: PiecesOptions,
): Generator<string> {
  const isTable = options.representation.as === "table";
  yield headOf(served, page, options);
  for (let at = 0; at < page.items.length; at += ITEMS_A_PIECE) {
    const items = page.items.slice(at, at + ITEMS_A_PIECE);
    const values = isTable
      ? tableOfList(served, { ...page, items }, options).rows
      : items.map((item) => metadataOf(item.object(), options.representation.version));
    const texts = values.map((value) => JSON.stringify(value));
    yield `${at === 0 ? "" : ","}${texts.join(",")}`;
  }
  yield "]}\n";
}

/** Everything before the first item: a list of none, but for its end. */
function headOf(served: ServedResource, page: ObjectPage, options: PiecesOptions): string {
  const { as, version } = options.representation;
  const none = { ...page, items: [] };
  const empty = as === "table" ? tableOfList(served, none, options) : metadataListOf(none, version);
  return JSON.stringify(empty).slice(0, -"]}".length);
}
