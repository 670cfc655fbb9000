import type { Query } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { ObjectPage } from "../rest/call.ts";
import type { ListText } from "./list-text.ts";
import type { Representation } from "./negotiation.ts";
import { listValueOf, metadataListOf, metadataOf } from "./representations.ts";
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

/** How YAML is written. */
export type Stringify = (value: unknown) => string;

/**
 * The YAML of a list. Only one object is parsed at a time, in turns with other work: to write YAML
 * is slow.
 */
export async function* yamlPieces(
  served: ServedResource,
  page: ObjectPage,
  options: PiecesOptions & { stringify: Stringify },
): AsyncGenerator<string> {
  const { stringify } = options;
  // Its last field is the list: "items: []".
  const head = stringify(listOfNone(served, page, options));
  if (page.items.length === 0) yield head;
  else yield head.slice(0, -" []\n".length) + "\n";
  for (const item of page.items) {
    yield stringify(valuesOf(served, { ...page, items: [item] }, options));
    await new Promise(setImmediate);
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
  yield JSON.stringify(listOfNone(served, page, options)).slice(0, -"]}".length);
  for (let at = 0; at < page.items.length; at += ITEMS_A_PIECE) {
    const items = page.items.slice(at, at + ITEMS_A_PIECE);
    const values = valuesOf(served, { ...page, items }, options);
    const texts = values.map((value) => JSON.stringify(value));
    yield `${at === 0 ? "" : ","}${texts.join(",")}`;
  }
  yield "]}\n";
}

/** What the list consists of: rows of a table, or items. */
function valuesOf(
  served: ServedResource,
  page: ObjectPage,
  options: PiecesOptions,
): readonly unknown[] {
  const { as, version } = options.representation;
  if (as === "table") return tableOfList(served, page, options).rows;
  return page.items.map((item) =>
    as === "metadata" ? metadataOf(item.object(), version) : item.object(),
  );
}

function listOfNone(served: ServedResource, page: ObjectPage, options: PiecesOptions): object {
  const { as, version } = options.representation;
  const none = { ...page, items: [] };
  if (as === "table") return tableOfList(served, none, options);
  return as === "metadata" ? metadataListOf(none, version) : listValueOf(served, none);
}
