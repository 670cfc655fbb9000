import { encodeCanonical, resourceVersionSpan } from "../../format/json-canonical.ts";
import { exactJson } from "../../format/json-text.ts";
import { deepFreeze, fieldOf, type KubeObject, withField } from "../kube-object.ts";
import type { ReadAs } from "../watch-cache/cached-object.ts";
import { type BoundStatus, endWith, withScheduled } from "./bound-status.ts";

/** What JSON says as it is. */
const PLAIN_NAME = /^[\w.-]*$/;
/** Of a stored pod: kind, apiVersion, metadata, spec and status. */
const FIELDS = 5;

/** What a binding says, and when. */
export interface BindingFacts {
  node: string;
  annotations: object | undefined;
  /** RFC 3339. */
  time: string;
}

/** A pod's next state: as it is stored, and parsed for those who would parse it next. */
export interface BoundPod {
  bytes: Uint8Array;
  /** Frozen; shares what stays as it was. Its resourceVersion counts for nothing. */
  object: KubeObject;
}

/** The state that a binding leads to. `stored` are the bytes that `old` was read from. */
export function boundPod(old: KubeObject, stored: Uint8Array, facts: BindingFacts): BoundPod {
  const { resourceVersion: _, ...metadata } = old.metadata;
  const { node, annotations, time } = facts;
  if (annotations) metadata.annotations = { ...metadata.annotations, ...annotations };
  const status = fieldOf(old, "status");
  const object: KubeObject = deepFreeze({
    ...old,
    metadata,
    spec: { ...fieldOf(old, "spec"), nodeName: node },
    status: { ...status, conditions: withScheduled(status["conditions"], time) },
  });
  const bytes = (annotations ? undefined : spliced(stored, old, object)) ?? encodeCanonical(object);
  return { bytes, object };
}

/** A bound pod that is put together when somebody reads it. */
export interface ServedBoundPod {
  bytes: Uint8Array;
  readAs: ReadAs;
}

/**
 * The same from bytes that carry a resourceVersion, as the cache has them, and from what they read
 * as, though it may have lost digits of long numbers. Undefined where only `boundPod` will do.
 */
export function boundFromServed(
  old: KubeObject,
  served: Uint8Array,
  { node, status }: { node: string; status: BoundStatus },
): ServedBoundPod | undefined {
  const isUsual = Object.keys(old).length === FIELDS && hasUsualEnd(old);
  const at = isUsual ? endBefore(served, status.endBefore) : undefined;
  const version = resourceVersionSpan(served);
  if (at === undefined || !version) return undefined;
  const name = PLAIN_NAME.test(node) ? `"${node}"` : JSON.stringify(node);
  const end = `,"nodeName":${name}${status.endAfter}`;
  const keptBytes = at - (version.end - version.start);
  const bytes = Buffer.allocUnsafe(keptBytes + Buffer.byteLength(end));
  bytes.set(served.subarray(0, version.start));
  bytes.set(served.subarray(version.end, at), version.start);
  bytes.write(end, keptBytes);
  const readAs = (resourceVersion: string) => {
    const { kind, apiVersion } = old;
    const metadata = withField(old.metadata, "resourceVersion", resourceVersion);
    const spec = withField(fieldOf(old, "spec"), "nodeName", node);
    return Object.freeze({ kind, apiVersion, metadata, spec, status: status.value }) as KubeObject;
  };
  return { bytes, readAs };
}

function spliced(stored: Uint8Array, old: KubeObject, next: KubeObject): Buffer | undefined {
  const end = Buffer.from(endWith(old["status"]));
  const at = hasUsualEnd(old) ? endBefore(stored, end) : undefined;
  if (at === undefined) return undefined;
  const node = exactJson(fieldOf(next, "spec")["nodeName"]);
  const endAfter = Buffer.from(`,"nodeName":${node}${endWith(next["status"])}`);
  return Buffer.concat([stored.subarray(0, at), endAfter]);
}

/**
 * Canonical bytes end with the spec and the status, so a new state keeps all bytes up to the end
 * of the fields of the spec. False of pods that end in another way, or of which it would not do.
 */
function hasUsualEnd(old: KubeObject): boolean {
  const fields = Object.keys(old);
  if (fields.at(-2) !== "spec" || fields.at(-1) !== "status") return false;
  const spec = fieldOf(old, "spec");
  return !("nodeName" in spec) && !isEmpty(spec);
}

/** Where `end` begins, if bytes end with it. */
function endBefore(bytes: Uint8Array, end: Buffer): number | undefined {
  const at = bytes.byteLength - end.byteLength;
  return at >= 0 && end.compare(bytes, at) === 0 ? at : undefined;
}

function isEmpty(spec: Record<string, unknown>): boolean {
  for (const _ in spec) return false;
  return true;
}
