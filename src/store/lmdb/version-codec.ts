import type { Version } from "../backend.ts";

const VERSIONS = 0x76;
const EVENTS = 0x65;
const REVISION_BYTES = 8;
/** Of a value, before the object's bytes. */
export const VALUE_HEADER_BYTES: number = REVISION_BYTES;
/** Sorts after every byte that a key can hold at that place. */
const AFTER = Uint8Array.of(0xff);
const TWO_32 = 2 ** 32;

/** Revisions stay below 2^53; eight bytes in big-endian order sort like numbers. */
export function writeRevision(target: Buffer, revision: number, at: number): void {
  target.writeUInt32BE(Math.floor(revision / TWO_32), at);
  target.writeUInt32BE(revision % TWO_32, at + 4);
}

/** Inverse of `writeRevision`. */
export function readRevision(source: Buffer, at: number): number {
  return source.readUInt32BE(at) * TWO_32 + source.readUInt32BE(at + 4);
}

/**
 * Key of a version: "v", resource, NUL, key, NUL, revision, and whether it marks a deletion. All
 * versions of a key are neighbours, oldest first, and keys are in byte order.
 */
export function versionKey(version: Omit<Version, "createRevision">): Buffer {
  const { resource, key, revision, bytes } = version;
  const names = `v${resource}\0${key}\0`;
  const revisionAt = Buffer.byteLength(names);
  const stored = Buffer.allocUnsafe(revisionAt + REVISION_BYTES + 1);
  stored.write(names);
  writeRevision(stored, revision, revisionAt);
  stored[revisionAt + REVISION_BYTES] = bytes ? 0 : 1;
  return stored;
}

/** What all version keys of one key begin with. */
export function chainPrefix(resource: string, key: string): Buffer {
  return Buffer.from(`v${resource}\0${key}\0`);
}

/** Not below any version of the chain with revision <= `at`, below all others. */
export function chainEnd(chain: Buffer, at: number): Buffer {
  if (at === Number.POSITIVE_INFINITY) return Buffer.concat([chain, AFTER]);
  return Buffer.concat([chain, revisionBytes(at), AFTER]);
}

/** What the version keys of all keys with this prefix begin with. */
export function rangePrefix(resource: string, prefix: string): Buffer {
  return Buffer.from(`v${resource}\0${prefix}`);
}

/** Not below any key that begins with `prefix`; UTF-8 never holds the byte 0xff. */
export function rangeEnd(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, AFTER]);
}

/** Bounds of all version keys. */
export const ALL_VERSIONS: { start: Buffer; end: Buffer } = {
  start: Buffer.of(VERSIONS),
  end: Buffer.of(VERSIONS + 1),
};

/** Name of the resource that a version key belongs to. */
export function resourceOf(key: Buffer): string {
  return key.toString("utf8", 1, key.indexOf(0));
}

/** The parts of a version key. */
export function parseVersionKey(stored: Buffer): {
  key: string;
  revision: number;
  deleted: boolean;
} {
  const revisionAt = stored.length - REVISION_BYTES - 1;
  return {
    key: stored.toString("utf8", stored.indexOf(0) + 1, revisionAt - 1),
    revision: readRevision(stored, revisionAt),
    deleted: stored[stored.length - 1] === 1,
  };
}

/**
 * Value of a version: the revision of its creation, then the object's bytes. Written into memory
 * from `allocate`.
 */
export function encodeVersion(
  { createRevision, bytes }: Version,
  allocate: (sizeBytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const value = allocate(VALUE_HEADER_BYTES + (bytes?.length ?? 0));
  writeRevision(value, createRevision, 0);
  if (bytes) value.set(bytes, VALUE_HEADER_BYTES);
  return value;
}

/** Inverse of `versionKey` and `encodeVersion`. */
export function decodeVersion(resource: string, stored: Buffer, value: Buffer): Version {
  const { key, revision, deleted } = parseVersionKey(stored);
  const bytes = deleted ? undefined : value.subarray(VALUE_HEADER_BYTES);
  return { resource, key, revision, createRevision: readRevision(value, 0), bytes };
}

/** Key of an event: "e" and its revision. */
export function eventKey(revision: number): Buffer {
  const stored = Buffer.allocUnsafe(1 + REVISION_BYTES);
  stored[0] = EVENTS;
  writeRevision(stored, revision, 1);
  return stored;
}

/** Inverse of `eventKey`. */
export function eventRevision(key: Buffer): number {
  return readRevision(key, 1);
}

/** Value of an event: which key it is about. */
export function encodeEvent({ resource, key }: { resource: string; key: string }): Buffer {
  return Buffer.from(`${resource}\0${key}`);
}

/** Inverse of `encodeEvent`. */
export function decodeEvent(value: Buffer): { resource: string; key: string } {
  const middle = value.indexOf(0);
  return { resource: value.toString("utf8", 0, middle), key: value.toString("utf8", middle + 1) };
}

function revisionBytes(revision: number): Buffer {
  const bytes = Buffer.allocUnsafe(REVISION_BYTES);
  writeRevision(bytes, revision, 0);
  return bytes;
}
