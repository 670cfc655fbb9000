import type { Projection } from "./informer.ts";
import { type ObjectWithMetadata, metadataOf } from "./object-cache.ts";

/**
 * Keeps what says whose an object is and whether it stays: its names, owners, finalizers and the
 * beginning of its deletion. For caches that span all kinds or count objects.
 */
export const OWNERSHIP: Projection = {
  name: "ownership",
  of: (object) => {
    const { apiVersion, kind } = object as { apiVersion?: string; kind?: string };
    const from = metadataOf(object) as Readonly<Record<string, unknown>>;
    const metadata: Record<string, unknown> = {};
    for (const field of KEPT) if (from[field] !== undefined) metadata[field] = from[field];
    return { apiVersion, kind, metadata } satisfies ObjectWithMetadata & Record<string, unknown>;
  },
};

const KEPT = [
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "ownerReferences",
  "finalizers",
  "deletionTimestamp",
];
