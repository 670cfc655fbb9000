import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { ObjectPage } from "../rest/call.ts";
import type { ListText } from "./list-text.ts";
import type { SharedItems } from "./shared-items.ts";

/** So much of a list is made at a time: eight TLS records. */
const CHUNK_BYTES = 128 * 1024;

/** Sends a list, whose head is written, from pieces that others share, or through one buffer. */
export async function streamList(
  response: ServerResponse,
  text: ListText,
  { list, sharedItems }: { list: ObjectPage; sharedItems: SharedItems },
): Promise<void> {
  const shared = sharedItems.take(list.items, text.itemsBytes);
  if (!shared) {
    const buffer = Buffer.allocUnsafe(Math.min(text.sizeBytes, CHUNK_BYTES));
    return writeInTurns(response, text.chunks(buffer));
  }
  try {
    await writeInTurns(response, text.around(shared.pieces));
  } finally {
    sharedItems.release(shared);
  }
}

/**
 * Writes no faster than the client reads. What was given is asked for again when the socket has
 * taken it: by then it is encrypted, or on its way.
 */
async function writeInTurns(response: ServerResponse, chunks: Iterable<Uint8Array>): Promise<void> {
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    response.once("close", () => {
      isClosed = true;
      resolve();
    });
  });
  response.flushHeaders();
  // Past the response, which would cork its socket and so have its writes copied into one. It has
  // no socket while an earlier answer of a pipelining client is going out.
  const out: Writable = response.socket ?? response;
  for (const bytes of chunks) {
    const taken = new Promise<void>((resolve) => void out.write(bytes, () => resolve()));
    await Promise.race([taken, closed]);
    if (isClosed) return;
  }
  response.end();
}
