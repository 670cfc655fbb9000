import { decodeJson } from "../../format/json-decode.ts";
import type { KubeObject } from "../kube-object.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { ObjectPage } from "../rest/call.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";

/** `metadata` of a list. */
export function listMetaOf(page: ObjectPage): {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
} {
  return {
    resourceVersion: String(page.revision),
    ...(page.continue ? { continue: page.continue } : {}),
    ...(page.remaining ? { remainingItemCount: page.remaining } : {}),
  };
}

/** The whole list as a value. */
export function listValueOf(served: ServedResource, page: ObjectPage): Record<string, unknown> {
  return {
    kind: `${served.resource.kind}List`,
    apiVersion: served.apiVersion,
    metadata: listMetaOf(page),
    items: page.items.map((item) => item.object()),
  };
}

/** `PartialObjectMetadata` of an object. */
export function metadataOf(object: KubeObject, version: string): Record<string, unknown> {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: object.metadata,
  };
}

/** `PartialObjectMetadataList` of a list. */
export function metadataListOf(page: ObjectPage, version: string): Record<string, unknown> {
  return {
    kind: "PartialObjectMetadataList",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMetaOf(page),
    items: page.items.map((item) => metadataOf(item.object(), version)),
  };
}

/** As many digits as may be more than a `number` holds. */
const LONG_NUMBER = /[:,[]-?\d{16}/;

/** The object parsed anew, with every int64 as it was stored. */
export function exactObjectOf({ bytes }: CachedObject): object {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  return (LONG_NUMBER.test(text) ? decodeJson(bytes).value : JSON.parse(text)) as object;
}
