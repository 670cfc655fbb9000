import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { decompressZstd, isZstd } from "../../sys/zstd.ts";

const GUNZIP_BYTES = 256 * 1024;
const HEAD_BYTES = 6;
const XZ = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const BZIP2 = Buffer.from("BZh");

/** How bytes that begin so are compressed; gzip and zstd can be read. */
export function compressionOf(head: Buffer): "gzip" | "zstd" | "xz" | "bzip2" | undefined {
  if (head.length >= 2 && head.readUInt16BE(0) === 0x1f8b) return "gzip";
  if (isZstd(head)) return "zstd";
  if (head.subarray(0, XZ.length).equals(XZ)) return "xz";
  return head.subarray(0, BZIP2.length).equals(BZIP2) ? "bzip2" : undefined;
}

/** Tells gzip and zstd by their first bytes, as archives of `docker save` do not say. */
export async function* decompressed(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    if (first.done) return;
    const compression = compressionOf(Buffer.from(first.value.subarray(0, HEAD_BYTES)));
    const whole = (async function* (): AsyncGenerator<Uint8Array> {
      yield first.value;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        yield next.value;
      }
    })();
    if (compression === "gzip") yield* gunzipped(whole);
    else yield* compression === "zstd" ? decompressZstd(whole) : whole;
  } finally {
    await iterator.return?.();
  }
}

async function* gunzipped(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = Readable.from(stream);
  const gunzip = createGunzip({ chunkSize: GUNZIP_BYTES });
  input.on("error", (error) => gunzip.destroy(error));
  try {
    yield* input.pipe(gunzip) as AsyncIterable<Uint8Array>;
  } finally {
    input.destroy();
  }
}
