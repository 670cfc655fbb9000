import { encodeCanonical, exactJson, resourceVersionSpan } from "../../format/json-canonical.ts";
import { deepFreeze, fieldOf, type KubeObject } from "../kube-object.ts";

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

type Condition = Record<string, unknown>;

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

/**
 * The same from bytes that carry a resourceVersion, as the cache has them, and from what they read
 * as, though it may have lost digits of long numbers. Undefined where only `boundPod` will do.
 */
export function boundFromServed(
  old: KubeObject,
  served: Uint8Array,
  { node, time }: Omit<BindingFacts, "annotations">,
): BoundPod | undefined {
  const at = endOfSpec(served, old);
  const version = resourceVersionSpan(served);
  if (at === undefined || !version) return undefined;
  const oldStatus = fieldOf(old, "status");
  const conditions = Object.freeze(withScheduled(oldStatus["conditions"], time));
  const status = Object.freeze({ ...oldStatus, conditions });
  const spec = Object.freeze({ ...fieldOf(old, "spec"), nodeName: node });
  const object: KubeObject = Object.freeze({ ...old, spec, status });
  const end = endText(object);
  const keptBytes = at - (version.end - version.start);
  const bytes = Buffer.allocUnsafe(keptBytes + Buffer.byteLength(end));
  bytes.set(served.subarray(0, version.start));
  bytes.set(served.subarray(version.end, at), version.start);
  bytes.write(end, keptBytes);
  return { bytes, object };
}

function spliced(stored: Uint8Array, old: KubeObject, next: KubeObject): Buffer | undefined {
  const at = endOfSpec(stored, old);
  if (at === undefined) return undefined;
  return Buffer.concat([stored.subarray(0, at), Buffer.from(endText(next))]);
}

/**
 * Where the fields of the spec end. Canonical bytes end with the spec and the status, so a new
 * state keeps all bytes before. Undefined when these bytes end in another way.
 */
function endOfSpec(bytes: Uint8Array, old: KubeObject): number | undefined {
  const fields = Object.keys(old);
  if (fields.at(-2) !== "spec" || fields.at(-1) !== "status") return undefined;
  const spec = fieldOf(old, "spec");
  if ("nodeName" in spec || isEmpty(spec)) return undefined;
  const end = Buffer.from(`},"status":${exactJson(old["status"])}}`);
  const at = bytes.byteLength - end.byteLength;
  return at >= 0 && end.compare(bytes, at) === 0 ? at : undefined;
}

function isEmpty(spec: Record<string, unknown>): boolean {
  for (const _ in spec) return false;
  return true;
}

/** What comes after the other fields of a spec that gets a node. */
function endText(next: KubeObject): string {
  const node = exactJson(fieldOf(next, "spec")["nodeName"]);
  return `,"nodeName":${node}},"status":${exactJson(next["status"])}}`;
}

function withScheduled(conditions: unknown, time: string): Condition[] {
  const scheduled = Object.freeze({
    type: "PodScheduled",
    status: "True",
    lastProbeTime: null,
    lastTransitionTime: time,
  });
  if (!Array.isArray(conditions)) return [scheduled];
  const others = (conditions as Condition[]).filter(({ type }) => type !== "PodScheduled");
  return [...others, scheduled];
}
