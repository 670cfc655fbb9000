import { encodeCanonical, exactJson } from "../../format/json-canonical.ts";
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
  /** Frozen; shares all that stays with the state before. It has no resourceVersion. */
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
 * Canonical bytes end with the spec and the status, so a new state keeps all bytes before the end
 * of the spec. Undefined when these bytes end in another way.
 */
function spliced(stored: Uint8Array, old: KubeObject, next: KubeObject): Buffer | undefined {
  const fields = Object.keys(old);
  if (fields.at(-2) !== "spec" || fields.at(-1) !== "status") return undefined;
  const spec = fieldOf(old, "spec");
  if ("nodeName" in spec || Object.keys(spec).length === 0) return undefined;
  const end = Buffer.from(`},"status":${exactJson(old["status"])}}`);
  const at = stored.byteLength - end.byteLength;
  if (at < 0 || end.compare(stored, at) !== 0) return undefined;
  const node = exactJson(fieldOf(next, "spec")["nodeName"]);
  const status = exactJson(next["status"]);
  return Buffer.concat([
    stored.subarray(0, at),
    Buffer.from(`,"nodeName":${node}},"status":${status}}`),
  ]);
}

function withScheduled(conditions: unknown, time: string): Condition[] {
  const others = Array.isArray(conditions) ? (conditions as Condition[]) : [];
  return [
    ...others.filter(({ type }) => type !== "PodScheduled"),
    { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: time },
  ];
}
