import type { KubeObject } from "../kube-object.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { ObjectPage } from "../rest/call.ts";

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

const CHUNK_BYTES = 128 * 1024;
const COMMA = Buffer.from(",");
const END = Buffer.from("]}\n");

/** The JSON of a list in chunks of about 128 KiB, spliced from the bytes of its objects. */
export function listChunksOf(served: ServedResource, page: ObjectPage): Uint8Array[] {
  const head =
    `{"kind":"${served.resource.kind}List","apiVersion":"${served.apiVersion}",` +
    `"metadata":${JSON.stringify(listMetaOf(page))},"items":[`;
  const chunks: Uint8Array[] = [];
  let parts: Uint8Array[] = [Buffer.from(head)];
  let sizeBytes = 0;
  for (const [at, item] of page.items.entries()) {
    if (at > 0) parts.push(COMMA);
    parts.push(item.bytes);
    sizeBytes += item.bytes.byteLength;
    if (sizeBytes < CHUNK_BYTES) continue;
    chunks.push(Buffer.concat(parts));
    parts = [];
    sizeBytes = 0;
  }
  parts.push(END);
  chunks.push(Buffer.concat(parts));
  return chunks;
}
