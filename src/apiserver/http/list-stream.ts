import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { ListText } from "./list-text.ts";

/** So much of a list is made at a time: sixteen TLS records. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Sends a list, whose head is written, no faster than the client reads. It takes one buffer,
 * filled again when the socket has taken it: by then it is encrypted, or on its way.
 */
export async function streamList(response: ServerResponse, text: ListText): Promise<void> {
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
  const buffer = Buffer.allocUnsafe(Math.min(text.sizeBytes, CHUNK_BYTES));
  for (let sizeBytes = text.read(buffer); sizeBytes > 0; sizeBytes = text.read(buffer)) {
    const bytes = buffer.subarray(0, sizeBytes);
    const taken = new Promise<void>((resolve) => void out.write(bytes, () => resolve()));
    await Promise.race([taken, closed]);
    if (isClosed) return;
  }
  response.end();
}
