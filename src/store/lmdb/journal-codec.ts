import { crc32 } from "node:zlib";
import type { Version } from "../backend.ts";
import { readRevision, writeRevision } from "./version-codec.ts";

/*
 * A record: magic, CRC-32 of all that follows, body length, sequence number (8), body.
 * A body: versions, each revision (8), creation revision (8), lengths of resource (2), key (2) and
 * bytes (4, all ones for a deletion), then these three. All numbers are big-endian.
 */
const MAGIC = 0x4e504a31;
const HEADER_BYTES = 20;
const VERSION_HEADER_BYTES = 24;
const DELETED = 0xffffffff;

/** The versions of one commit, in the order of the journal. */
export interface JournalRecord {
  sequence: number;
  versions: Version[];
}

/** One commit as the bytes of one record; `sizeBytes` is their `recordSize`. */
export function encodeRecord(
  sequence: number,
  versions: readonly Version[],
  sizeBytes: number = recordSize(versions),
): Buffer {
  const record = Buffer.allocUnsafe(sizeBytes);
  record.writeUInt32BE(MAGIC, 0);
  record.writeUInt32BE(sizeBytes - HEADER_BYTES, 8);
  writeRevision(record, sequence, 12);
  let at = HEADER_BYTES;
  for (const version of versions) at = writeVersion(record, version, at);
  record.writeUInt32BE(crc32(record.subarray(8)), 4);
  return record;
}

/** How many bytes `encodeRecord` would need. */
export function recordSize(versions: readonly Version[]): number {
  return versions.reduce((sum, version) => sum + versionSize(version), HEADER_BYTES);
}

/**
 * The records at the beginning of a journal file, up to the first that is torn, foreign or left
 * over from an earlier use of the file.
 */
export function decodeRecords(file: Buffer): JournalRecord[] {
  const records: JournalRecord[] = [];
  let at = 0;
  for (;;) {
    const record = decodeRecord(file, at);
    if (!record) return records;
    const previous = records.at(-1);
    if (previous && record.sequence !== previous.sequence + 1) return records;
    records.push({ sequence: record.sequence, versions: record.versions });
    at = record.end;
  }
}

function decodeRecord(file: Buffer, at: number): (JournalRecord & { end: number }) | undefined {
  if (at + HEADER_BYTES > file.length || file.readUInt32BE(at) !== MAGIC) return undefined;
  const end = at + HEADER_BYTES + file.readUInt32BE(at + 8);
  if (end > file.length) return undefined;
  if (file.readUInt32BE(at + 4) !== crc32(file.subarray(at + 8, end))) return undefined;
  const versions: Version[] = [];
  for (let from = at + HEADER_BYTES; from < end; ) {
    const version = readVersion(file, from);
    versions.push(version);
    from += versionSize(version);
  }
  return { sequence: readRevision(file, at + 12), versions, end };
}

function versionSize({ resource, key, bytes }: Version): number {
  const names = Buffer.byteLength(resource) + Buffer.byteLength(key);
  return VERSION_HEADER_BYTES + names + (bytes?.length ?? 0);
}

function writeVersion(record: Buffer, version: Version, at: number): number {
  const { resource, key, bytes } = version;
  writeRevision(record, version.revision, at);
  writeRevision(record, version.createRevision, at + 8);
  record.writeUInt32BE(bytes?.length ?? DELETED, at + 20);
  let end = at + VERSION_HEADER_BYTES;
  const resourceBytes = record.write(resource, end);
  record.writeUInt16BE(resourceBytes, at + 16);
  end += resourceBytes;
  const keyBytes = record.write(key, end);
  record.writeUInt16BE(keyBytes, at + 18);
  end += keyBytes;
  if (!bytes) return end;
  record.set(bytes, end);
  return end + bytes.length;
}

function readVersion(file: Buffer, at: number): Version {
  const keyAt = at + VERSION_HEADER_BYTES + file.readUInt16BE(at + 16);
  const bytesAt = keyAt + file.readUInt16BE(at + 18);
  const size = file.readUInt32BE(at + 20);
  return {
    resource: file.toString("utf8", at + VERSION_HEADER_BYTES, keyAt),
    key: file.toString("utf8", keyAt, bytesAt),
    revision: readRevision(file, at),
    createRevision: readRevision(file, at + 8),
    bytes: size === DELETED ? undefined : Buffer.from(file.subarray(bytesAt, bytesAt + size)),
  };
}
