import { decodeJson } from "./json-decode.ts";
import { exactJson, jsonAround, type KnownText } from "./json-text.ts";

/** An object as the API stores it. */
export interface CanonicalObject {
  apiVersion?: string;
  kind?: string;
  metadata?: object;
}

/**
 * Encodes an object as stored: no spaces, `{"kind":K,"apiVersion":V,"metadata":{...}` first, then
 * the other fields in their order, `metadata.resourceVersion` left out. `bigint` is written as a
 * number; `undefined` fields are not written. Values whose text is known are not written anew,
 * wherever they are.
 */
export function encodeCanonical(object: CanonicalObject, known: readonly KnownText[] = []): Buffer {
  // The first three keep their places when they are set again.
  const ordered = { kind: "", apiVersion: "", metadata: {}, ...object };
  ordered.metadata = withoutResourceVersion(ordered.metadata);
  return Buffer.from(known.length > 0 ? jsonAround(known, ordered) : exactJson(ordered));
}

/** The same of an object of which it is known how its managedFields are written. */
export function encodeWithManagers(object: CanonicalObject, managers: string): Buffer {
  const ordered = isOrdered(object)
    ? { ...object }
    : { kind: "", apiVersion: "", metadata: {}, ...object };
  ordered.metadata = { ...withoutResourceVersion(ordered.metadata ?? {}), managedFields: 0 };
  const text = exactJson(ordered);
  // Nothing before it in the metadata is a number, so that this is the one.
  const at = text.indexOf(NO_MANAGERS) + NO_MANAGERS.length;
  return Buffer.from(`${text.slice(0, at - 1)}${managers}${text.slice(at)}`);
}

/** Whether the first three are there already, as in what was stored: then a copy is cheap. */
function isOrdered(object: object): boolean {
  let at = 0;
  for (const name in object) {
    if (name !== FIRST[at++]) return false;
    if (at === FIRST.length) return true;
  }
  return false;
}

function withoutResourceVersion(metadata: object): object {
  if (!("resourceVersion" in metadata)) return metadata;
  const { resourceVersion: _, ...rest } = metadata;
  return rest;
}

/** Gives memory for so many bytes, with whatever is in it. */
export type Allocate = (sizeBytes: number) => Buffer;

/**
 * Puts a resourceVersion into canonical bytes, as the first field of their metadata. The bytes
 * are copied, never changed; `allocate` gives the memory for the copy.
 */
export function spliceResourceVersion(
  bytes: Uint8Array,
  revision: bigint | number,
  allocate: Allocate = Buffer.allocUnsafe,
): Buffer {
  const offset = metadataOffset(bytes);
  const comma = bytes[offset] === 0x7d ? "" : ",";
  const inserted = `"resourceVersion":"${revision}"${comma}`;
  const { length } = inserted;
  const result = allocate(bytes.length + length);
  // Every write of every object passes here: no views of parts, which cost more than the copies.
  result.set(bytes, length);
  result.copyWithin(0, length, length + offset);
  result.write(inserted, offset, "latin1");
  return result;
}

/**
 * Where `spliceResourceVersion` put the field, with the comma after it. Undefined in bytes that
 * carry none, or nothing else in their metadata.
 */
export function resourceVersionSpan(bytes: Uint8Array): { start: number; end: number } | undefined {
  const start = metadataOffset(bytes);
  const valueAt = start + VERSION.length;
  if (valueAt > bytes.length || VERSION.compare(bytes, start, valueAt) !== 0) return undefined;
  const end = bytes.indexOf(QUOTE, valueAt) + 1;
  return bytes[end] === COMMA ? { start, end: end + 1 } : undefined;
}

/** Puts another resourceVersion into bytes that `spliceResourceVersion` gave. */
export function replaceResourceVersion(bytes: Uint8Array, revision: bigint | number): Buffer {
  const offset = metadataOffset(bytes) + VERSION.length;
  if (VERSION.compare(bytes, offset - VERSION.length, offset) !== 0) {
    throw new RangeError("Cannot replace the resourceVersion: the metadata begins otherwise");
  }
  const rest = bytes.subarray(bytes.indexOf(QUOTE, offset));
  return Buffer.concat([bytes.subarray(0, offset), Buffer.from(`${revision}`), rest]);
}

/** As many digits as may be more than a `number` holds. */
const LONG_NUMBER = /[:,[]-?\d{16}/;

/** Whether canonical bytes may hold an int64 beyond 2^53. */
function hasLongNumber(bytes: Uint8Array): boolean {
  return LONG_NUMBER.test(viewOf(bytes).toString("latin1"));
}

/** The value of canonical bytes; an int64 beyond 2^53 becomes a `bigint`. */
export function decodeCanonical(bytes: Uint8Array): unknown {
  return hasLongNumber(bytes) ? decodeJson(bytes).value : JSON.parse(viewOf(bytes).toString());
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

const METADATA = Buffer.from(',"metadata":{');
/** Kind and version are shorter than this. */
const METADATA_MAX = 1_024;
const VERSION = Buffer.from('"resourceVersion":"');
const FIRST = ["kind", "apiVersion", "metadata"];
const NO_MANAGERS = '"managedFields":0';
const QUOTE = 0x22;
const COMMA = 0x2c;

/**
 * Where the fields of the metadata begin in canonical bytes; the same for every object of a
 * kind in a version. @throws RangeError when the bytes are not canonical
 */
export function metadataOffset(bytes: Uint8Array): number {
  const at = Buffer.prototype.indexOf.call(bytes, METADATA);
  if (at >= 0 && at < METADATA_MAX) return at + METADATA.length;
  throw new RangeError("Cannot find the metadata: the bytes are not canonical JSON");
}
