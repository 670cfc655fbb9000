import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, open, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Descriptor } from "../../format/oci/image-manifest.ts";
import { readTar, type TarSource } from "../../format/tar/tar-reader.ts";
import { ImageError } from "./contract.ts";
import { compressionOf, decompressed } from "./decompress.ts";

/** No manifest or configuration is longer. */
export const DOCUMENT_MAX_BYTES: number = 4 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;
const HEAD_BYTES = 6;

/** Where the documents and layers of an image come from: named files. */
export interface ImageSource {
  /** Whole text of a small file; undefined when absent. `blob` is what pointed to it. */
  document(name: string, blob?: Descriptor): Promise<string | undefined>;
  /** Bytes of a file. @throws ImageError "invalid-archive" when absent */
  stream(name: string): AsyncIterable<Uint8Array>;
}

/** A source that may have to be put away. */
export interface OpenedSource extends ImageSource, AsyncDisposable {}

/** Where what is compressed as a whole is decompressed to, as its files are read in any order. */
export interface SourceOptions {
  /** Path of a file to be made, and removed with the source. */
  temporary: () => string;
  signal?: AbortSignal | undefined;
}

/**
 * Opens an OCI layout directory, or a tar file of an OCI layout or of `docker save`, which may be
 * compressed by gzip or zstd.
 */
export async function openImageSource(file: string, options: SourceOptions): Promise<OpenedSource> {
  const found = await stat(file).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImageError("invalid-archive", `Cannot read image archive "${file}": ${why}`, {
      cause,
    });
  });
  if (found.isDirectory()) return { ...directorySource(file), [Symbol.asyncDispose]: nothing };
  const compression = compressionOf(await headOf(file));
  if (compression === undefined) {
    return { ...(await archiveSource(file)), [Symbol.asyncDispose]: nothing };
  }
  if (compression !== "gzip" && compression !== "zstd") {
    const message = `Archive "${file}" is compressed by ${compression}: use gzip, zstd or nothing`;
    throw new ImageError("invalid-archive", message);
  }
  const temporary = options.temporary();
  const remove = () => rm(temporary, { force: true });
  try {
    const target = createWriteStream(temporary, { flags: "wx", mode: 0o600 });
    await pipeline(decompressed(createReadStream(file)), target, { signal: options.signal });
    return { ...(await archiveSource(temporary)), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Reads a document that is named by its digest, and proves it. */
export async function readBlob(source: ImageSource, blob: Descriptor): Promise<string> {
  const { digest } = blob;
  const text = await source.document(blobName(digest), blob);
  if (text === undefined) throw new ImageError("invalid-archive", `Archive lacks ${digest}`);
  const actual = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  if (actual !== digest) {
    throw new ImageError("digest-mismatch", `Blob ${digest} has the digest ${actual}`);
  }
  return text;
}

/** Name of a blob in an OCI layout. */
export function blobName(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function directorySource(directory: string): ImageSource {
  return {
    async document(name) {
      try {
        const file = path.join(directory, name);
        if ((await stat(file)).size > DOCUMENT_MAX_BYTES) throw tooLong(name);
        return await readFile(file, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    stream: (name) => createReadStream(path.join(directory, name)),
  };
}

/** Finds every file of the archive first: writers put `index.json` anywhere. */
async function archiveSource(file: string): Promise<ImageSource> {
  const places = new Map<string, { start: number; size: number } | { link: string }>();
  const handle = await open(file, "r");
  try {
    for await (const entry of readTar(seekingSource(handle))) {
      const name = path.posix.normalize(entry.name);
      if (entry.type === "file") {
        places.set(name, { start: entry.bodyOffset, size: entry.sizeBytes });
      } else if (entry.type === "symlink" || entry.type === "hardlink") {
        const base = entry.type === "symlink" ? path.posix.dirname(name) : ".";
        places.set(name, { link: path.posix.normalize(path.posix.join(base, entry.linkName)) });
      }
    }
  } finally {
    await handle.close();
  }
  const locate = (name: string, hops = 0): { start: number; size: number } | undefined => {
    const place = places.get(path.posix.normalize(name));
    return place && "link" in place ? (hops < 8 ? locate(place.link, hops + 1) : undefined) : place;
  };
  async function* stream(name: string): AsyncGenerator<Uint8Array> {
    const place = locate(name);
    if (!place) throw new ImageError("invalid-archive", `Archive lacks "${name}"`);
    if (place.size === 0) return;
    const { start, size } = place;
    const options = { start, end: start + size - 1, highWaterMark: READ_BYTES };
    yield* createReadStream(file, options) as AsyncIterable<Uint8Array>;
  }
  return {
    async document(name) {
      const place = locate(name);
      if (!place) return undefined;
      if (place.size > DOCUMENT_MAX_BYTES) throw tooLong(name);
      const parts: Uint8Array[] = [];
      for await (const chunk of stream(name)) parts.push(chunk);
      return Buffer.concat(parts).toString("utf8");
    },
    stream,
  };
}

async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function nothing(): Promise<void> {}

function seekingSource(handle: FileHandle): TarSource {
  let position = 0;
  return {
    async read(maxBytes) {
      const buffer = Buffer.alloc(Math.min(maxBytes, READ_BYTES));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      position += bytesRead;
      return buffer.subarray(0, bytesRead);
    },
    skip(sizeBytes) {
      position += sizeBytes;
      return Promise.resolve();
    },
  };
}

function tooLong(name: string): ImageError {
  return new ImageError("invalid-archive", `Document "${name}" is longer than 4 MiB`);
}
