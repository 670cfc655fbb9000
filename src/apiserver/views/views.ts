import type { Resource } from "../../api/resource.ts";
import {
  type Allocate,
  encodeCanonical,
  spliceResourceVersion,
} from "../../format/json-canonical.ts";
import type { Codec } from "../codec/codec.ts";
import type { KubeObject } from "../kube-object.ts";
import { AUTOSCALER_VIEW } from "./autoscaler-view.ts";
import { EVENT_VIEW } from "./event-view.ts";
import type { View } from "./view.ts";

const VIEWS: Readonly<Record<string, View>> = {
  "events.k8s.io/v1/events": EVENT_VIEW,
  "autoscaling/v1/horizontalpodautoscalers": AUTOSCALER_VIEW,
};

/** The view that a resource is; `undefined` for one that is stored as it is. */
export function viewOf({ group, version, plural }: Resource): View | undefined {
  return VIEWS[`${group}/${version}/${plural}`];
}

/** Stored bytes in the form of the view. */
export function spliceThrough(view: View) {
  return (bytes: Uint8Array, revision: number, allocate?: Allocate): Uint8Array => {
    const { buffer, byteOffset, byteLength } = bytes;
    const stored = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString()) as KubeObject;
    return spliceResourceVersion(encodeCanonical(view.fromStored(stored)), revision, allocate);
  };
}

/** A codec of the view's kind whose bytes are those of the stored form. */
export function encodeThrough(view: View, codec: Codec): Codec {
  return { ...codec, encode: (object) => codec.encode(view.toStored(object)) };
}
