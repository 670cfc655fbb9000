import { decodeCanonical } from "../../format/json-canonical.ts";
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

/** The object parsed anew, with every int64 as it was stored. */
export function exactObjectOf({ bytes }: CachedObject): object {
  return decodeCanonical(bytes) as object;
}
