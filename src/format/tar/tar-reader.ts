import {
  BLOCK_BYTES,
  concat,
  decodeHeader,
  decodePax,
  decodeText,
  entryType,
  type RawHeader,
  TarError,
  type TarHeader,
} from "./tar-header.ts";

/** Where the bytes of an archive come from: a stream, or a file that can skip. */
export interface TarSource {
  /** At least one byte and at most `maxBytes`; empty at the end. */
  read(maxBytes: number): Promise<Uint8Array>;
  skip(sizeBytes: number): Promise<void>;
}

/** One entry; `body` must be read before the next entry is asked for, or is skipped. */
export interface TarEntry extends TarHeader {
  body: AsyncIterable<Uint8Array>;
  /** Offset of the body in the archive. */
  bodyOffset: number;
}

const EXTENSION_MAX_BYTES = 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** Reads ahead from any stream of bytes. */
export function tarSource(stream: AsyncIterable<Uint8Array>): TarSource {
  const iterator = stream[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const read = async (maxBytes: number): Promise<Uint8Array> => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done) return rest;
      rest = next.value;
    }
    const chunk = rest.subarray(0, maxBytes);
    rest = rest.subarray(chunk.length);
    return chunk;
  };
  return {
    read,
    async skip(sizeBytes) {
      for (let left = sizeBytes; left > 0; ) {
        const chunk = await read(left);
        if (chunk.length === 0) throw new TarError("Archive ends inside an entry");
        left -= chunk.length;
      }
    },
  };
}

/**
 * Reads an archive entry by entry: ustar, GNU long names, PAX headers, base-256 numbers. Sparse
 * files are refused. Reads past the end marker to the end of the source. @throws TarError
 */
export async function* readTar(source: TarSource): AsyncGenerator<TarEntry> {
  let offset = 0;
  let pax = new Map<string, Uint8Array>();
  const globals = new Map<string, Uint8Array>();
  let longName: string | undefined;
  let longLink: string | undefined;

  const exactly = async (sizeBytes: number): Promise<Uint8Array> => {
    const parts: Uint8Array[] = [];
    let size = 0;
    while (size < sizeBytes) {
      const chunk = await source.read(sizeBytes - size);
      if (chunk.length === 0) throw new TarError("Archive ends inside an entry");
      parts.push(chunk);
      size += chunk.length;
    }
    offset += sizeBytes;
    return parts.length === 1 && parts[0] ? parts[0] : concat(parts);
  };
  const extension = async (raw: RawHeader): Promise<Uint8Array> => {
    if (raw.sizeBytes > EXTENSION_MAX_BYTES) throw new TarError("Extended header is too long");
    const bytes = await exactly(raw.sizeBytes + paddingOf(raw.sizeBytes));
    return bytes.slice(0, raw.sizeBytes);
  };

  for (;;) {
    const first = await source.read(BLOCK_BYTES);
    if (first.length === 0) return; // no end marker, as some writers leave it
    offset += first.length;
    const left = BLOCK_BYTES - first.length;
    const raw = decodeHeader(left > 0 ? concat([first, await exactly(left)]) : first);
    if (!raw) break;
    if (raw.flag === "x") pax = new Map([...pax, ...decodePax(await extension(raw))]);
    else if (raw.flag === "g") decodePax(await extension(raw)).forEach((v, k) => globals.set(k, v));
    else if (raw.flag === "L") longName = untilZero(await extension(raw));
    else if (raw.flag === "K") longLink = untilZero(await extension(raw));
    else {
      if (longName !== undefined) raw.name = longName;
      if (longLink !== undefined) raw.linkName = longLink;
      const header = applyPax(raw, new Map([...globals, ...pax]));
      const size = header.type === "file" ? header.sizeBytes : 0;
      const start = offset;
      let left = size;
      const body = async function* (): AsyncGenerator<Uint8Array> {
        while (left > 0) {
          const chunk = await source.read(Math.min(left, CHUNK_BYTES));
          if (chunk.length === 0) throw new TarError(`Archive ends inside "${header.name}"`);
          left -= chunk.length;
          yield chunk;
        }
      };
      yield { ...header, sizeBytes: size, body: body(), bodyOffset: start };
      await source.skip(left + paddingOf(size));
      offset = start + size + paddingOf(size);
      pax = new Map();
      longName = longLink = undefined;
    }
  }
  while ((await source.read(CHUNK_BYTES)).length > 0); // so that a digest covers every byte
}

function paddingOf(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function untilZero(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeText(end < 0 ? bytes : bytes.subarray(0, end));
}

function applyPax(raw: RawHeader, pax: ReadonlyMap<string, Uint8Array>): TarHeader {
  const header = { ...raw };
  const attributes = new Map<string, Uint8Array>();
  for (const [key, bytes] of pax) {
    if (key.startsWith("GNU.sparse.")) {
      throw new TarError(`Sparse file "${raw.name}" is not supported`);
    }
    if (key.startsWith("SCHILY.xattr.")) attributes.set(key.slice(13), bytes);
    else if (key === "path") header.name = decodeText(bytes);
    else if (key === "linkpath") header.linkName = decodeText(bytes);
    else if (key === "size") header.sizeBytes = decimal(key, bytes);
    else if (key === "uid") header.uid = decimal(key, bytes);
    else if (key === "gid") header.gid = decimal(key, bytes);
    else if (key === "mtime") header.modifiedS = Number(decodeText(bytes)) || 0;
  }
  if (header.name.includes("\0") || header.linkName.includes("\0")) {
    throw new TarError("A name in the archive holds a zero byte");
  }
  const { flag: _, ...rest } = header;
  return { ...rest, type: entryType(header), attributes };
}

function decimal(key: string, bytes: Uint8Array): number {
  const text = decodeText(bytes);
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new TarError(`Extended header has a malformed ${key}`);
  }
  return value;
}
