import { BLOCK_BYTES, encodeHeader, padding, type TarHeader } from "./tar-header.ts";

/** An entry to write; absent fields are root's, empty, and of 1970: the same bytes every time. */
export interface TarInput extends Partial<Omit<TarHeader, "sizeBytes">> {
  name: string;
  type: TarHeader["type"];
  /** Bytes of a file. */
  body?: Uint8Array;
}

/** Encodes an archive chunk by chunk, end marker included. Deterministic. */
export function* writeTar(entries: Iterable<TarInput>): Generator<Uint8Array> {
  for (const { body = new Uint8Array(), ...entry } of entries) {
    yield encodeHeader({
      mode: entry.type === "directory" ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      modifiedS: 0,
      linkName: "",
      deviceMajor: 0,
      deviceMinor: 0,
      attributes: new Map(),
      ...entry,
      sizeBytes: body.length,
    });
    if (body.length > 0) {
      yield body;
      yield padding(body.length);
    }
  }
  yield new Uint8Array(2 * BLOCK_BYTES);
}
