/** Kinds of entries that appear in container images. */
export type TarEntryType =
  | "file"
  | "hardlink"
  | "symlink"
  | "character"
  | "block"
  | "directory"
  | "fifo";

/** What a tar archive says about one file, extensions already applied. */
export interface TarHeader {
  /** As stored: may be absolute, hold "..", or end in "/": whoever unpacks must judge it. */
  name: string;
  type: TarEntryType;
  /** Permission bits with set-user-ID, set-group-ID and sticky. */
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  /** Seconds since 1970, with a fraction when the archive has one. */
  modifiedS: number;
  /** Target of a symlink; name of an earlier entry for a hard link; else "". */
  linkName: string;
  deviceMajor: number;
  deviceMinor: number;
  /** Extended attributes such as "security.capability". */
  attributes: ReadonlyMap<string, Uint8Array>;
}

/** An archive that is damaged or uses what is not supported; the message says which. */
export class TarError extends Error {
  override readonly name = "TarError";
}

export const BLOCK_BYTES = 512;
const TYPES: Readonly<Record<string, TarEntryType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};
const FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};
const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** A header block before extensions: `flag` is the raw type flag. */
export interface RawHeader extends Omit<TarHeader, "type" | "attributes"> {
  flag: string;
}

/** Type of a raw header. @throws TarError for sparse files and unknown kinds */
export function entryType(raw: RawHeader): TarEntryType {
  if (raw.flag === "S") throw new TarError(`Sparse file "${raw.name}" is not supported`);
  const type = TYPES[raw.flag];
  if (!type) throw new TarError(`Entry "${raw.name}" has unknown type "${raw.flag}"`);
  if (type === "file" && raw.name.endsWith("/")) return "directory"; // written before POSIX.1-1988
  return type;
}

/** Decodes one 512-byte block; undefined for a block of zeros, which ends an archive. */
export function decodeHeader(block: Uint8Array): RawHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const stored = number(block, 148, 8);
  let sum = 8 * 32;
  block.forEach((byte, at) => {
    if (at < 148 || at >= 156) sum += byte;
  });
  if (sum !== stored) throw new TarError("Tar header has a wrong checksum");
  const ustar = text(block, 257, 5) === "ustar";
  const gnu = ustar && block[263] === 0x20;
  const prefix = ustar && !gnu ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  return {
    name: prefix ? `${prefix}/${name}` : name,
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    sizeBytes: number(block, 124, 12),
    modifiedS: number(block, 136, 12),
    flag: String.fromCharCode(block[156] ?? 0),
    linkName: text(block, 157, 100),
    deviceMajor: ustar ? number(block, 329, 8) : 0,
    deviceMinor: ustar ? number(block, 337, 8) : 0,
  };
}

/** Decodes UTF-8. @throws TarError for other encodings */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new TarError("A name in the archive is not UTF-8");
  }
}

function text(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return decodeText(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or big-endian base 256 when the first bit is set (GNU). */
function number(block: Uint8Array, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  if ((field[0] ?? 0) & 0x80) {
    if (field[0] === 0xff) throw new TarError("Tar header holds a negative number");
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new TarError("Tar header holds a number out of range");
    return value;
  }
  const digits = String.fromCharCode(...field)
    .replace(/[\0 ]+$/g, "")
    .trimStart();
  if (digits === "") return 0;
  if (!/^[0-7]+$/.test(digits)) throw new TarError("Tar header holds a number that is not octal");
  return Number.parseInt(digits, 8);
}

/** Decodes "LENGTH KEY=VALUE\n" records. Source: POSIX pax, "Extended Header". */
export function decodePax(bytes: Uint8Array): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : String.fromCharCode(...bytes.subarray(at, space));
    const end = at + Number(digits);
    if (!/^[1-9][0-9]{0,8}$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a) {
      throw new TarError("Extended header is malformed");
    }
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw new TarError("Extended header lacks a value");
    const key = decodeText(bytes.subarray(space + 1, equals));
    records.set(key, bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** Encodes a header with the extensions it needs, without the body. */
export function encodeHeader(header: TarHeader): Uint8Array {
  const pax = new Map<string, Uint8Array>();
  const needText = (key: string, value: string, max: number) => {
    const bytes = encoder.encode(value);
    if (bytes.length > max || bytes.length !== value.length) pax.set(key, bytes);
  };
  const needNumber = (key: string, value: number, max: number) => {
    if (value > max) pax.set(key, encoder.encode(String(value)));
  };
  needText("path", header.name, 100);
  needText("linkpath", header.linkName, 100);
  needNumber("size", header.sizeBytes, 0o77777777777);
  needNumber("uid", header.uid, 0o7777777);
  needNumber("gid", header.gid, 0o7777777);
  const attributes = [...header.attributes].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of attributes) pax.set(`SCHILY.xattr.${name}`, value);
  const block = encodeBlock(header, FLAGS[header.type]);
  if (pax.size === 0) return block;
  const records = concat([...pax].map(([key, value]) => paxRecord(key, value)));
  const extension = {
    ...header,
    name: "PaxHeaders/0",
    linkName: "",
    sizeBytes: records.length,
    mode: 0o644,
    deviceMajor: 0,
    deviceMinor: 0,
  };
  return concat([encodeBlock(extension, "x"), records, padding(records.length), block]);
}

/** Zeros that fill a body of `sizeBytes` up to whole blocks. */
export function padding(sizeBytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = concat([encoder.encode(` ${key}=`), value, encoder.encode("\n")]);
  let length = rest.length;
  while (rest.length + String(length).length !== length) {
    length = rest.length + String(length).length;
  }
  return concat([encoder.encode(String(length)), rest]);
}

function encodeBlock(header: Omit<TarHeader, "type" | "attributes">, flag: string): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (at: number, value: string, length: number) =>
    block.set(encoder.encode(value).subarray(0, length), at);
  const octal = (at: number, value: number, length: number) =>
    put(
      at,
      Math.floor(value)
        .toString(8)
        .slice(-(length - 1))
        .padStart(length - 1, "0"),
      length,
    );
  put(0, header.name, 100);
  octal(100, header.mode, 8);
  octal(108, header.uid, 8);
  octal(116, header.gid, 8);
  octal(124, header.sizeBytes, 12);
  octal(136, header.modifiedS, 12);
  put(148, "        ", 8);
  put(156, flag, 1);
  put(157, header.linkName, 100);
  put(257, "ustar\0" + "00", 8);
  octal(329, header.deviceMajor, 8);
  octal(337, header.deviceMinor, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `, 8);
  return block;
}

/** Joins byte arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
